"""Refusals of orders and of processes while they run (spec: process catalogue)."""

from torwart.kernel.refusals import Retry, Side, kind

PROCESS_UNKNOWN = kind(
    "process.unknown",
    de="Den Prozess „{process}“ gibt es nicht. Bekannt sind: {known}.",
    en="There is no process “{process}”. Known are: {known}.",
    side=Side.CLIENT,
    source="process catalogue",
)
FIELD_MISSING = kind(
    "process.field_missing",
    de="Das Feld „{label_de}“ fehlt. Bitte füllen Sie es aus.",
    en="The field “{label_en}” is missing. Please fill it in.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-1, O-5",
)
FIELD_UNKNOWN = kind(
    "process.field_unknown",
    de="Der Prozess „{process}“ kennt kein Feld „{field}“.",
    en="The process “{process}” knows no field “{field}”.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-1",
)
GATEWAY_UNKNOWN = kind(
    "process.gateway_unknown",
    de="Das Gateway {gateway} ist nicht bekannt. Ist der Lieferschein importiert?",
    en="Gateway {gateway} is not known. Has its delivery note been imported?",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-4 (KL 4.2 a)",
)
METER_UNKNOWN = kind(
    "process.meter_unknown",
    de="Der Zähler {meter} ist nicht bekannt. Ist der Lieferschein importiert?",
    en="Meter {meter} is not known. Has its delivery note been imported?",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-4 (KL 4.2 a)",
)
GATEWAY_BUSY = kind(
    "process.gateway_busy",
    de="Für {gateway} läuft bereits ein Prozess ({run}). Bitte warten Sie, bis er beendet ist.",
    en="A process is already running for {gateway} ({run}). Please wait until it has ended.",
    side=Side.CLIENT,
    retry=Retry.LATER,
    source="stack findings, rule 3",
)
IDENTITY_DIFFERS = kind(
    "process.identity_differs",
    de="{gateway} meldet sich mit einem anderen {what} als im Lieferschein: {seen} statt {expected}.",
    en="{gateway} shows another {what} than its delivery note says: {seen} instead of {expected}.",
    side=Side.GATEWAY,
    source="P03, first contact",
)
READ_BACK_DIFFERS = kind(
    "process.read_back_differs",
    de="Zurückgelesen steht auf {gateway} etwas anderes als gewünscht: {differences}.",
    en="Read back, {gateway} holds something else than was wanted: {differences}.",
    side=Side.GATEWAY,
    source="process catalogue: every change on a gateway is read back",
)
STEP_REFUSED = kind(
    "process.step_refused",
    de="{gateway} hat „{what}“ mit HTTP {status} abgelehnt.",
    en="{gateway} refused “{what}” with HTTP {status}.",
    side=Side.GATEWAY,
    source="A2 §7.4, status table",
)
CLOCK_OFF = kind(
    "process.clock_off",
    de="Die Uhr von {gateway} ist nicht gestellt: Abweichung {offset} s (erlaubt: {limit} s), laut Gateway gültig: "
    "{valid}. Prüfen Sie, ob es den Zeitdienst erreicht.",
    en="The clock of {gateway} is not set: it is off by {offset} s (allowed: {limit} s), valid by its own word: "
    "{valid}. Check whether it reaches the time service.",
    side=Side.GATEWAY,
    source="PTB-A 50.8: ±1 % of the registration period",
)
METER_NOT_SEEN = kind(
    "process.meter_not_seen",
    de="{gateway} sieht den Zähler {meter} nicht am LMN. Bitte Kabel, Abschlusswiderstand und Zählernummer prüfen.",
    en="{gateway} does not see meter {meter} on its LMN. Please check cable, terminator and meter number.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="P03, pairing; installer page (N17)",
)
GATEWAY_SILENT = kind(
    "process.gateway_silent",
    de="{gateway} hat sich {hours} h lang nicht gemeldet.",
    en="{gateway} has not called for {hours} h.",
    side=Side.NETWORK,
    retry=Retry.AFTER_CHANGE,
    source="P03: wakes and waits",
)
NO_VALUE = kind(
    "process.no_value",
    de="Der EMT hat innerhalb von {hours} h keinen Messwert von {gateway} bestätigt.",
    en="The EMT has not confirmed a value of {gateway} within {hours} h.",
    side=Side.EMT,
    retry=Retry.AFTER_CHANGE,
    source="P03: first value received at the EMT confirmed",
)
CA_REFUSED = kind(
    "process.ca_refused",
    de="Die Sub-CA hat den Antrag für {gateway} mit {code} abgelehnt. {message}",
    en="The Sub-CA refused the request for {gateway} with {code}. {message}",
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.2.2",
)
CA_SILENT = kind(
    "process.ca_silent",
    de="Die Sub-CA hat {hours} h lang nicht geantwortet.",
    en="The Sub-CA has not answered for {hours} h.",
    side=Side.CA,
    retry=Retry.LATER,
    source="TR-03129-4 §2.2.1, callback",
)
CA_WRONG_CERTIFICATE = kind(
    "process.ca_wrong_certificate",
    de="Die Sub-CA lieferte für {gateway} ein Zertifikat, das nicht zum Antrag passt: {why}",
    en="The Sub-CA delivered a certificate for {gateway} that does not fit the request: {why}",
    side=Side.CA,
    source="P03: certificates installed and switched",
)
KEY_SET_MISSING = kind(
    "process.key_set_missing",
    de="Für den Auftraggeber {client} gibt es keinen {use}-Schlüssel des Gateway-Administrators.",
    en="Client {client} has no {use} key of the gateway administrator.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="MsbG § 52(4): key sets per client",
)
CONFIRMATION_FOREIGN = kind(
    "process.confirmation_foreign",
    de="{emt} bestätigt Messwerte von {gateway}, das nicht zum selben Auftraggeber gehört.",
    en="{emt} confirms readings of {gateway}, which does not belong to the same client.",
    side=Side.EMT,
    source="P-1",
)
EMT_UNKNOWN = kind(
    "process.emt_unknown",
    de="Den EMT „{emt}“ gibt es bei Ihnen nicht. Legen Sie ihn zuerst an (P13).",
    en="You have no EMT “{emt}”. Create it first (P13).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P13, P03",
)
NO_RESULT = kind(
    "process.no_result",
    de="{gateway} hat das Ergebnis von „{what}“ nicht nachgereicht.",
    en="{gateway} has not brought the result of “{what}”.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="A2 §7.5, asynchronous answer",
)
CA_BUSY = kind(
    "process.ca_busy",
    de="Die Sub-CA meldet {code}. {message}",
    en="The Sub-CA reports {code}. {message}",
    side=Side.CA,
    retry=Retry.LATER,
    source="TR-03129-4 §2.2.2: failure_internal_error",
)
GIVEN_UP = kind(
    "process.given_up",
    de="Der Prozess ist an einem Fehler bei uns gescheitert und wurde aufgegeben: {why}. Bestellen Sie ihn erneut, "
    "sobald wir Bescheid geben.",
    en="The process failed by a fault of ours and was given up: {why}. Order it again once we tell you.",
    side=Side.OURS,
    source="process catalogue, state of a run",
)
FIELD_INVALID = kind(
    "process.field_invalid",
    de="„{given}“ passt hier nicht. Erwartet wird: {expected}.",
    en="“{given}” does not fit here. Expected is: {expected}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-5",
)
METER_TAKEN = kind(
    "process.meter_taken",
    de="Der Zähler {meter} gehört bereits zu einem anderen Gateway. Bauen Sie ihn dort zuerst aus (P07).",
    en="Meter {meter} already belongs to another gateway. Remove it there first (P07).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P03, devices reserved",
)
REQUEST_FOREIGN = kind(
    "process.request_foreign",
    de="{gateway} beantragt Zertifikate auf den Namen {name}.",
    en="{gateway} requests certificates in the name of {name}.",
    side=Side.GATEWAY,
    source="P03: key pairs on the gateway and certificate requests",
)
NOTHING_TO_RENEW = kind(
    "process.nothing_to_renew",
    de="{gateway} hat keine Wirkzertifikate. Nehmen Sie es zuerst in Betrieb (P03).",
    en="{gateway} has no operational certificates. Commission it first (P03).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P16",
)
EVENT_FOREIGN = kind(
    "process.event_foreign",
    de="{gateway} meldet ein Ereignis im Namen von {name}.",
    en="{gateway} tells an event in the name of {name}.",
    side=Side.GATEWAY,
    source="A2 Tabelle 5, Notify",
)
POINT_UNKNOWN = kind(
    "process.point_unknown",
    de="Die Messstelle {point} gehört zu keinem Ihrer Gateways. Bitte prüfen Sie die Nummer oder nennen Sie das "
    "Gateway.",
    en="Metering point {point} belongs to none of your gateways. Please check the number or name the gateway's id.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P11",
)
POINT_ELSEWHERE = kind(
    "process.point_elsewhere",
    de="Die Messstelle {point} gehört nicht zu {gateway}. Bitte nennen Sie nur eines von beiden oder das "
    "richtige Paar.",
    en="Metering point {point} does not belong to {gateway}. Please name one of them only, or the right pair.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P11",
)
POINT_AMBIGUOUS = kind(
    "process.point_ambiguous",
    de="Zur Messstelle {point} gehören mehrere Gateways ({gateways}). Bitte nennen Sie die SMGW-ID dazu.",
    en="Metering point {point} has several gateways ({gateways}). Please name the gateway's id as well.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P11",
)
PROFILE_NOT_IN_FORCE = kind(
    "process.profile_not_in_force",
    de="{gateway} hat die neuen Auswertungsprofile, wendet sie aber nicht an: {contracts}. Die alten sind "
    "nicht entfernt.",
    en="{gateway} has the new evaluation profiles but does not apply them: {contracts}. The old ones are not removed.",
    side=Side.GATEWAY,
    source="P11: a process that cannot prove its effect ends as failed",
)
LAST_VALUES_OPEN = kind(
    "process.last_values_open",
    de="Die neuen Auswertungsprofile gelten. Die alten stehen noch auf {gateway}, weil ihre letzten Messwerte den "
    "Empfänger nicht erreicht haben: {contracts}.",
    en="The new evaluation profiles are in force. The old ones still stand on {gateway} because their last readings "
    "have not reached the recipient: {contracts}.",
    side=Side.EMT,
    retry=Retry.AFTER_CHANGE,
    source="P11: remove old",
)

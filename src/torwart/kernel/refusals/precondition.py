"""Refusals of preconditions: what must be true before a process may begin (spec/02), each with its remedy."""

from torwart.kernel.refusals import Retry, Side, kind

DELIVERY_NOTE_MISSING = kind(
    "precondition.delivery_note_missing",
    de="Zu {device} ist kein Lieferschein importiert. Reihenfolge: erst den Lieferschein bereitstellen und importieren "
    "lassen, dann die Inbetriebnahme beauftragen.",
    en="No delivery note has been imported for {device}. Order of steps: first provide the delivery note and have it "
    "imported, then order the commissioning.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-4; KL 4.2 a: „1. Schritt: Bereitstellung und Import des(der) Lieferscheins(e)“",
)
WRONG_STATE = kind(
    "precondition.wrong_state",
    de="{device} ist „{state_de}“; für diesen Auftrag muss es „{needed_de}“ sein.",
    en="{device} is “{state_en}”; for this order it must be “{needed_en}”.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/02",
)
COMBINATION_NOT_APPROVED = kind(
    "precondition.combination_not_approved",
    de="Die Kombination {gateway_type} (Firmware {firmware}) mit {meter_type} ist nicht freigegeben. Freigegebene "
    "Konfigurationen stehen im Portal; eine abweichende beantragen Sie mit „Freigabe neue Gerätekombination“ (P42).",
    en="The combination {gateway_type} (firmware {firmware}) with {meter_type} is not approved. Approved "
    "configurations are listed in the portal; request a deviating one by “new device combination” (P42).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-6; KL 4.3: „Nur die hier angegebenen Kombinationen aus Basiszähler und SMGW können … betrieben werden.“",
)
COMBINATION_NOT_IN_FORCE = kind(
    "precondition.combination_not_in_force",
    de="Die Freigabe von {gateway_type} (Firmware {firmware}) mit {meter_type} gilt von {begin} bis {end}, "
    "nicht am {at}. Bitte wählen Sie eine freigegebene Konfiguration oder einen anderen Termin.",
    en="The approval of {gateway_type} (firmware {firmware}) with {meter_type} is in force {begin} to {end}, "
    "not on {at}. Please choose an approved configuration or another time.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-6",
)
CC_CERTIFICATE_MISSING = kind(
    "precondition.cc_certificate_missing",
    de="Für {gateway_type} (Firmware {firmware}) liegt kein Zertifikat des BSI nach § 24 Abs. 1 MsbG vor. Ohne den "
    "Nachweis darf das Gateway nicht verwendet werden; bitte fordern Sie ihn beim Hersteller an.",
    en="There is no certificate of the BSI by § 24(1) MsbG for {gateway_type} (firmware {firmware}). Without it the "
    "gateway must not be used; please ask its maker for it.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="MsbG § 24(4), § 25(1) sentence 3; O-6",
)
CC_CERTIFICATE_PAST = kind(
    "precondition.cc_certificate_past",
    de="Das Zertifikat {certificate} für {gateway_type} gilt von {begin} bis {end}, nicht am {at}. Das Gateway darf "
    "dann nicht verwendet werden; bitte fordern Sie beim Hersteller den Nachweis für ein gültiges an.",
    en="Certificate {certificate} for {gateway_type} is valid {begin} to {end}, not on {at}. The gateway must not be "
    "used then; please ask its maker for a valid one.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="MsbG § 24(4), § 25(1) sentence 3; O-6",
)
EMT_UNKNOWN = kind(
    "precondition.emt_unknown",
    de="Der EMT {emt} ist nicht angelegt. Bitte legen Sie ihn mit seinen Zertifikaten an (P13).",
    en="EMT {emt} has not been set up. Please set it up with its certificates (P13).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P03, P13, P14",
)
EMT_CERTIFICATE_MISSING = kind(
    "precondition.emt_certificate_missing",
    de="Dem EMT {emt} fehlt sein {use}-Zertifikat. Bitte reichen Sie alle drei nach: TLS, SIG und ENC.",
    en="EMT {emt} lacks its {use} certificate. Please hand in all three: TLS, SIG and ENC.",
    side=Side.EMT,
    retry=Retry.AFTER_CHANGE,
    source="P03, P13; TR-03109-4: three key pairs per end entity",
)
EMT_CERTIFICATE_INVALID = kind(
    "precondition.emt_certificate_invalid",
    de="Das {use}-Zertifikat des EMT {emt} gilt von {begin} bis {end}; gebraucht wird es bis mindestens {needed}. "
    "Bitte wechseln Sie es zuerst (P15).",
    en="The {use} certificate of EMT {emt} is valid {begin} to {end}; it is needed until {needed} at least. Please "
    "exchange it first (P15).",
    side=Side.EMT,
    retry=Retry.AFTER_CHANGE,
    source="P03, P14: EMT certificate ≥ x days valid",
)
EMT_CERTIFICATE_REVOKED = kind(
    "precondition.emt_certificate_revoked",
    de="Das {use}-Zertifikat des EMT {emt} ist gesperrt. Bitte reichen Sie ein neues ein (P15).",
    en="The {use} certificate of EMT {emt} has been revoked. Please hand in a new one (P15).",
    side=Side.EMT,
    retry=Retry.AFTER_CHANGE,
    source="P03, P15",
)
TAF_NOT_POSSIBLE = kind(
    "precondition.taf_not_possible",
    de="Der Zähler {meter} kann TAF {taf} nicht: {why_de}. Bitte wählen Sie einen anderen TAF.",
    en="Meter {meter} cannot do TAF {taf}: {why_en}. Please choose another one.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P11; spec/04 §1.6",
)
NO_METER = kind(
    "precondition.no_meter",
    de="An {gateway} ist kein Zähler in Betrieb, für den sich die Auswertung ändern ließe. Binden Sie ihn zuerst an "
    "(P05).",
    en="No meter is in operation on {gateway} whose evaluation could be changed. Connect it first (P05).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P11",
)
CONTACTS_TOO_FEW = kind(
    "precondition.contacts_too_few",
    de="Es gibt {given} aktive Ansprechpartner mit getesteter gesicherter Mail; nötig sind {needed}, die sich "
    "vertreten.",
    en="There are {given} active contacts with tested secure mail; {needed} are needed, standing in for each other.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-3; KL 3.3: „mindestens ZWEI Mitarbeiter“",
)
WAKE_UP_TOO_OFTEN = kind(
    "precondition.wake_up_too_often",
    de="{device} wurde in den letzten {period} bereits {count}-mal geweckt. Der nächste Wake-up ist ab {next} möglich.",
    en="{device} has been woken {count} times within the last {period}. The next wake-up is possible from {next}.",
    side=Side.CLIENT,
    retry=Retry.LATER,
    source="P20: rate limit",
)

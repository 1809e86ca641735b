"""Refusals of orders as such: who may place them, when they can still be taken back, which times can be chosen."""

from torwart.kernel.refusals import Retry, Side, kind

ORDER_UNKNOWN = kind(
    "order.unknown",
    de="Einen Auftrag {number} gibt es nicht. Prüfen Sie die Nummer.",
    en="There is no order {number}. Check the number.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
ORDER_OPEN = kind(
    "order.open",
    de="Für {gateway} ist derselbe Prozess schon beauftragt ({number}). Warten Sie dessen Ende ab oder stornieren Sie "
    "ihn zuerst.",
    en="The same process has already been ordered for {gateway} ({number}). Wait for its end or cancel it first.",
    side=Side.CLIENT,
    retry=Retry.LATER,
    source="O-4; stack findings, rule 3",
)
ORDERER_NOT_ALLOWED = kind(
    "order.not_allowed",
    de="Aufträge erteilen dürfen nur aktive Ansprechpartner. Bitten Sie einen Ihrer Ansprechpartner darum.",
    en="Only active contacts may place orders. Ask one of your contacts to do so.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-2, P-3 (KL 3.3)",
)
NOT_OVER_INTERFACE = kind(
    "order.not_over_interface",
    de="„{process_de}“ geht nicht über die EMT-Schnittstelle: {why_de} Bestellen Sie es im Portal: {form}",
    en="“{process_en}” cannot come over the EMT interface: {why_en} Order it in the portal: {form}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="O-7; KL 4.1",
)
NOT_OVER_FORM = kind(
    "order.not_over_form",
    de="„{process_de}“ führen wir selbst aus. Fragen Sie in einem Vorgang danach, wenn Sie ihn brauchen.",
    en="“{process_en}” is done by us. Ask for it in a ticket if you need it.",
    side=Side.CLIENT,
    source="process catalogue, faces",
)
PARTICIPANT_UNKNOWN = kind(
    "order.participant_unknown",
    de="Die MSB-Codenummer {code} ist bei Ihnen nicht eingetragen. Wählen Sie eine von: {known}.",
    en="The code number {code} is not recorded with you. Choose one of: {known}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1; process catalogue, header fields",
)
GRACE_OVER = kind(
    "order.grace_over",
    de="{number} konnte bis {until} zurückgezogen werden. Sie können den Auftrag noch stornieren.",
    en="{number} could be withdrawn until {until}. You can still cancel the order.",
    side=Side.CLIENT,
    source="O-10",
)
NOT_CANCELLABLE = kind(
    "order.not_cancellable",
    de="{number} lässt sich nicht mehr stornieren: Der Schritt „{step_de}“ hat begonnen und muss zu Ende gehen.",
    en="{number} can no longer be cancelled: the step “{step_en}” has begun and must be finished.",
    side=Side.CLIENT,
    source="O-10",
)
TIME_NOT_PROPOSED = kind(
    "order.time_not_proposed",
    de="{time} steht nicht unter den vorgeschlagenen Terminen. Wählen Sie einen von: {times}.",
    en="{time} is not among the proposed times. Choose one of: {times}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="T-3, T-6",
)
NOTHING_PROPOSED = kind(
    "order.nothing_proposed",
    de="Zu {number} ist kein Terminvorschlag offen. Laden Sie die Seite neu.",
    en="No proposal of times is open for {number}. Reload the page.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="T-3",
)
NO_TIMES = kind(
    "order.no_times",
    de="Ein Terminvorschlag braucht ein bis fünf Termine in der Zukunft.",
    en="A proposal needs one to five times in the future.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="T-3",
)
REASON_MISSING = kind(
    "order.reason_missing",
    de="Schreiben Sie in einem Satz den Grund; der Auftraggeber liest ihn.",
    en="Write the reason in a sentence; the client reads it.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="O-3",
)
REFUSED_BY_US = kind(
    "order.refused_by_us",
    de="Unsere Operatoren haben den Auftrag abgelehnt: {reason}",
    en="Our operators have refused the order: {reason}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/02 (state of a run: refused)",
)
NOT_FAILED = kind(
    "order.not_failed",
    de="Ein neuer Versuch geht nur, wenn der Auftrag fehlgeschlagen ist; {number} ist es nicht.",
    en="Only a failed order can be tried again; {number} has not failed.",
    side=Side.OURS,
    source="kernel.run_state: trying again is a new run",
)
MAIL_UNTESTED = kind(
    "order.mail_untested",
    de="Für diesen Prozess senden Sie uns Daten per Mail. Ihre gesicherte Mail ist noch nicht getestet: Hinterlegen "
    "Sie "
    "Ihr Zertifikat und beantworten Sie die Testmail ({url}).",
    en="For this process you send us data by mail. Your secure mail has not been tested yet: store your certificate "
    "and "
    "answer the test mail ({url}).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P01; S-MAIL-3",
)
NO_FILE = kind(
    "order.no_file",
    de="Innerhalb von {days} Tagen kam kein Lieferschein, den wir annehmen konnten.",
    en="Within {days} days no delivery note came that we could take.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P01; O-7",
)
NOT_ONE_NOTE = kind(
    "order.not_one_note",
    de="In der Mail sind {count} Dateien, von denen keine oder mehrere ein signierter Lieferschein sind. Senden Sie "
    "genau "
    "einen.",
    en="The mail has {count} files, of which none or several are a signed delivery note. Send exactly one.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P01: one delivery note inside",
)
NOTHING_IMPORTED = kind(
    "order.nothing_imported",
    de="Von {count} Geräten des Lieferscheins {number} konnte keines importiert werden. Zum Beispiel {device}: "
    "{why_de} "
    "Bitten Sie den Hersteller um eine Korrektur.",
    en="None of the {count} devices of delivery note {number} could be imported. For example {device}: {why_en} Ask "
    "the "
    "maker for a correction.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P01; spec/02 (a process that cannot prove its effect fails)",
)
NOT_TESTED_IN_TIME = kind(
    "order.not_tested_in_time",
    de="Die Testmail an {name} wurde innerhalb von {days} Tagen nicht richtig beantwortet. Fordern Sie im Portal eine "
    "neue "
    "an.",
    en="The test mail to {name} was not answered correctly within {days} days. Ask for a new one in the portal.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P39; S-MAIL-3",
)
NO_VERDICT = kind(
    "order.no_verdict",
    de="Wir haben die Störung in {days} Tagen nicht gelöst. Bitte rufen Sie uns an.",
    en="We have not resolved the incident within {days} days. Please call us.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="P41",
)
NUMBERS_TAKEN = kind(
    "order.numbers_taken",
    de="Der Auftrag konnte gerade nicht angelegt werden. Bitte senden Sie ihn noch einmal.",
    en="The order could not be recorded just now. Please send it once more.",
    side=Side.OURS,
    retry=Retry.LATER,
    source="O-2",
)
TIME_IN_FIELD = kind(
    "order.time_in_field",
    de="Wann dieser Auftrag wirkt, sagt das Feld „{label_de}“. Bitte nennen Sie keinen anderen Wunschtermin.",
    en="When this order takes effect is said by the field “{label_en}”. Please name no other requested time.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="T-3, P11: valid from",
)

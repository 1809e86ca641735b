"""Refusals of reading a delivery note (spec: delivery note; catalogue P01)."""

from torwart.kernel.refusals import Retry, Side, kind

ELS_MALFORMED = kind(
    "els.malformed",
    de="Der Lieferschein ist kein gültiges XML nach urn:torwart:els:1.0 (Zeile {line}): {why}",
    en="The delivery note is not valid XML by urn:torwart:els:1.0 (line {line}): {why}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note format 1.0 (els-1.0.xsd)",
)
ELS_TOO_LARGE = kind(
    "els.too_large",
    de="Der Lieferschein hat {size} Byte; erlaubt sind {limit}. Bitte auf mehrere Lieferscheine aufteilen.",
    en="The delivery note has {size} bytes; {limit} are allowed. Please split it into several notes.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note: size limit (ours)",
)
ELS_COLUMNS = kind(
    "els.columns",
    de="Das CSV-Formular ist nicht lesbar: {why_de}. Nutzen Sie die Vorlage (torwart els example --csv); "
    "Geheimnisse gehören nicht in dieses Formular.",
    en="The CSV form cannot be read: {why_en}. Use the template (torwart els example --csv); "
    "secrets do not belong into this form.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note: CSV form for pilots (ours)",
)
ELS_CELL = kind(
    "els.cell",
    de="Zeile {row}, Spalte {column}: {why_de}.",
    en="Row {row}, column {column}: {why_en}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note: CSV form for pilots (ours)",
)
ELS_TAKEN = kind(
    "els.taken",
    de="{what} kann nicht importiert werden: Die Nummer ist bereits vergeben. Bitte klären Sie das mit dem Betreiber.",
    en="{what} cannot be imported: the number is already taken. Please clear this with the provider.",
    side=Side.CLIENT,
    source="catalogue P01: not owned by someone else; P-1: the text does not say by whom",
)
ELS_IDENTITY = kind(
    "els.identity",
    de="Das {use}-Gütesiegelzertifikat von {device} ist auf {name} ausgestellt.",
    en="The {use} seal certificate of {device} is issued to {name}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="catalogue P01: seal certificates carry the device id",
)
ELS_SECRET = kind(
    "els.secret",
    de="Das Geheimnis {kind} von {device} lässt sich nicht öffnen ({why}). Gilt es unserem ENC-Zertifikat?",
    en="Secret {kind} of {device} cannot be opened ({why}). Is it encrypted for our ENC certificate?",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="catalogue P01: secrets decrypt and are re-wrapped for the key store",
)
ELS_MAKER = kind(
    "els.maker",
    de="Der Lieferschein nennt als Hersteller {maker} ({flag}), unterschrieben hat ihn {signer}.",
    en="The delivery note names {maker} ({flag}) as its maker, but {signer} has signed it.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="catalogue P01: one delivery note inside, itself signed by the maker",
)
ELS_MESSAGE_TYPE = kind(
    "els.message_type",
    de="Nachrichten der Art {kind} werden nicht selbsttätig verarbeitet. Bitte beschreiben Sie Ihr Anliegen im Ticket.",
    en="Messages of the kind {kind} are not processed automatically. Please describe what you need in the ticket.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note format 1.0: ERSTLIEFERUNG and KORREKTUR are imported (divergences)",
)
ELS_REPLACES = kind(
    "els.replaces",
    de="Die Korrektur {number} muss in ErsetztLieferscheinnummer einen importierten Lieferschein dieses Herstellers "
    "nennen; „{replaces}“ ist keiner.",
    en="Correction {number} has to name an imported delivery note of this maker in ErsetztLieferscheinnummer; "
    "“{replaces}” is none.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note format 1.0",
)
ELS_NUMBER_USED = kind(
    "els.number_used",
    de="Unter der Nummer {number} wurde von diesem Hersteller schon ein anderer Lieferschein importiert. "
    "Bitte lassen Sie ihn mit neuer Nummer ausstellen.",
    en="Another delivery note of this maker has already been imported under number {number}. "
    "Please have it issued with a new number.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="catalogue P01: note number new for that maker",
)
ELS_RECIPIENT = kind(
    "els.recipient",
    de="Der Lieferschein ist nicht für Sie und diesen Gateway-Administrator ausgestellt: {what} „{found}“. "
    "Bitte prüfen Sie Codenummer und Namen mit dem Hersteller.",
    en="The delivery note is not issued for you and this gateway administrator: {what} “{found}”. "
    "Please check code number and names with the maker.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="catalogue P01: recipient is this GWA and this client",
)
ELS_TWICE = kind(
    "els.twice",
    de="{device} steht mehrfach in diesem Lieferschein; gewertet wurde der erste Eintrag.",
    en="{device} stands in this delivery note more than once; the first entry was taken.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="catalogue P01",
)
ELS_KIND = kind(
    "els.kind",
    de="Die Nummer {device} gehört nicht zu einem Gerät der Art {kind}.",
    en="Number {device} does not belong to a device of the kind {kind}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="DIN 43863-5: sector E is communication",
)
ELS_CARRIER = kind(
    "els.carrier",
    de="{device} liegt laut Lieferschein im Ladungsträger {carrier}; der ist dort nicht aufgeführt.",
    en="By the delivery note {device} lies in carrier {carrier}, which the note does not list.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note: secure supply chain (SiLKe)",
)
ELS_CERTIFICATE_USED = kind(
    "els.certificate_used",
    de="Das {use}-Gütesiegelzertifikat von {device} trägt eine Seriennummer, die seine CA schon einmal vergeben hat.",
    en="The {use} seal certificate of {device} has a serial number that its CA has used before.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="RFC 5280 §4.1.2.2: unique for each certificate issued by a given CA",
)
ELS_TYPE_UNKNOWN = kind(
    "els.type_unknown",
    de="{device}: Typ {model} mit Firmware {firmware} ist hier nicht bekannt. "
    "Bitte lassen Sie ihn vor der Lieferung freigeben.",
    en="{device}: type {model} with firmware {firmware} is not known here. Please have it approved before delivery.",
    side=Side.CLIENT,
    retry=Retry.LATER,
    source="catalogue P01: type and firmware known; KL 4.3",
)
ELS_CC_UNKNOWN = kind(
    "els.cc_unknown",
    de="{device}: Das CC-Zertifikat {certificate} ist für {model} mit Firmware {firmware} nicht nachgewiesen.",
    en="{device}: CC certificate {certificate} has not been proven for {model} with firmware {firmware}.",
    side=Side.CLIENT,
    retry=Retry.LATER,
    source="catalogue P01: CC certificate known; MsbG § 24(4)",
)
CUSTODY_UNKNOWN = kind(
    "els.custody_unknown",
    de="Das Gerät {device} ist nicht aus einem Lieferschein bekannt.",
    en="Device {device} is not known from a delivery note.",
    side=Side.CLIENT,
    source="delivery note: secure supply chain (SiLKe); P-1",
)
CUSTODY_TIME = kind(
    "els.custody_time",
    de="{device} kann nicht am {at} übergeben worden sein: Die letzte Übergabe war am {since}, jetzt ist {now}.",
    en="{device} cannot have been handed over at {at}: the last hand-over was at {since}, now it is {now}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note: each hand-over with time and person",
)
CUSTODY_PERSON = kind(
    "els.custody_person",
    de="Geben Sie an, wer {device} übernommen hat: Firma oder Ort und Person.",
    en="Say who took {device} over: company or place, and person.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note: each hand-over with time and person",
)

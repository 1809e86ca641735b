"""Refusals about what an EMT tells us, and about what we are told about an EMT (P13)."""

from torwart.kernel.refusals import Retry, Side, kind

EMT_CONFIRMATION_MALFORMED = kind(
    "emt.confirmation_malformed",
    de="Die Empfangsbestätigung des EMT ist nicht lesbar ({why}). Der EMT muss sie neu senden.",
    en="The EMT's confirmation of receipt cannot be read ({why}). The EMT has to send it again.",
    side=Side.EMT,
)
EMT_CERTIFICATE_MISSING = kind(
    "emt.certificate_missing",
    de="Es fehlt das Zertifikat für {use}; gefunden: {found}. Laden Sie auch dieses hoch.",
    en="The certificate for {use} is missing; found: {found}. Upload that one too.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P13",
)
EMT_NAMES_DIFFER = kind(
    "emt.names_differ",
    de="Die Zertifikate gehören nicht zusammen: {names}. Laden Sie nur die eines EMT hoch.",
    en="The certificates do not belong together: {names}. Upload those of one EMT only.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P13",
)
EMT_PRIVATE_KEY = kind(
    "emt.private_key",
    de="Die Datei enthält einen privaten Schlüssel; wir haben sie nicht gelesen und nichts davon gespeichert. Wer ihn "
    "geschickt hat, soll das Zertifikat sperren lassen und uns nur Zertifikate schicken.",
    en="The file contains a private key; we have not read it and have stored nothing of it. Whoever sent it should "
    "have the certificate revoked and send us certificates only.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P13",
)
EMT_CERTIFICATE_TAKEN = kind(
    "emt.certificate_taken",
    de="Das {use}-Zertifikat von „{name}“ ist schon für einen anderen EMT hinterlegt. Nehmen Sie denselben Namen wie "
    "dort; ein Zertifikat dient nur einem EMT eines Auftraggebers.",
    en="The {use} certificate of “{name}” is stored for another EMT already. Take the same name as there; a "
    "certificate serves one EMT of one client only.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P13",
)
EMT_ENDPOINT = kind(
    "emt.endpoint",
    de="„{given}“ ist keine Adresse, an die Gateways senden können. Geben Sie Rechner und Port an, zum Beispiel "
    "emt.stadtwerk.de:8443.",
    en="“{given}” is no address gateways can send to. Enter host and port, for example emt.stadtwerk.de:8443.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P13",
)

"""Refusals about certificate request packages (CRMF) and the signed orders to a Sub-CA."""

from torwart.kernel.refusals import Retry, Side, kind

CRMF_MALFORMED = kind(
    "crmf.malformed",
    de="Das Antragspaket ist nicht lesbar: {why}. Bitte neu erzeugen.",
    en="The request package cannot be read: {why}. Build it anew.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.2.2 failure_incorrect_request; RFC 4211 §3",
)
CRMF_TRIPLE = kind(
    "crmf.triple",
    de="Ein Antragspaket braucht genau je einen Antrag für TLS, SIG und ENC mit gleichem Namen und drei "
    "verschiedenen Schlüsseln: {why}.",
    en="A request package needs exactly one request each for TLS, SIG and ENC, with one name and three different "
    "keys: {why}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §3.5; §2 (key triple)",
)
CRMF_DOMAIN_PARAMETERS = kind(
    "crmf.domain_parameters",
    de="Kurve oder Signaturverfahren im Antrag für {use} ist nicht erlaubt: {why}. Erlaubt ist brainpoolP256r1 mit "
    "ecdsa-with-SHA256, Punkte unkomprimiert.",
    en="Curve or signature algorithm in the request for {use} is not allowed: {why}. Allowed is brainpoolP256r1 "
    "with ecdsa-with-SHA256, points uncompressed.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.2.2 failure_domain_parameters; TR-03116-3 §4.1.1",
)
CRMF_INNER_SIGNATURE = kind(
    "crmf.inner_signature",
    de="Die innere Signatur des Antrags für {use} ist ungültig; der Schlüsselbesitz ist nicht nachgewiesen.",
    en="The inner signature of the request for {use} is invalid; possession of the key is not proven.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.2.2 failure_inner_signature; RFC 4211 §4.1",
)
CRMF_OUTER_SIGNATURE = kind(
    "crmf.outer_signature",
    de="Die äußere Signatur des Antragspakets hält der Prüfung nicht stand: {why}",
    en="The outer signature of the request package does not hold: {why}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.2.2 failure_outer_signature",
)
CRMF_AUTHORISATION_SIGNATURE = kind(
    "crmf.authorisation_signature",
    de="Die Autorisierungssignatur des Antragspakets hält der Prüfung nicht stand: {why}",
    en="The authorisation signature of the request package does not hold: {why}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.2.2 failure_authorization_signature",
)
CRMF_ORDER_SIGNATURE = kind(
    "crmf.order_signature",
    de="Die Signatur der Anweisung an die Sub-CA hält der Prüfung nicht stand: {why}",
    en="The signature of the order to the Sub-CA does not hold: {why}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.3.5, §2.3.7",
)

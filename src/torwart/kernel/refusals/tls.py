"""Refusals of the TLS layer (TR-03116-3 §4) and of the checks of a peer's certificate during the handshake."""

from torwart.kernel.refusals import Retry, Side, kind

TLS_NO_CERTIFICATE = kind(
    "tls.no_certificate",
    de="Die Gegenstelle hat kein Zertifikat gezeigt. Sie muss sich mit ihrem TLS-Zertifikat der SM-PKI anmelden.",
    en="The peer showed no certificate. It has to present its TLS certificate of the SM-PKI.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §4.1.1",
)
TLS_UNKNOWN_CA = kind(
    "tls.unknown_ca",
    de="Das Zertifikat der Gegenstelle führt zu keiner bekannten Wurzel ({why}). Prüfen Sie PKI und Umgebung.",
    en="The peer's certificate leads to no known root ({why}). Check PKI and environment.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §3",
)
TLS_EXPIRED = kind(
    "tls.expired",
    de="Ein Zertifikat der Gegenstelle ist abgelaufen. Es braucht einen Zertifikatswechsel.",
    en="A certificate of the peer has expired. It needs a certificate exchange.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="RFC 5280 §4.1.2.5",
)
TLS_NOT_YET_VALID = kind(
    "tls.not_yet_valid",
    de="Ein Zertifikat der Gegenstelle gilt noch nicht. Prüfen Sie seinen Beginn und unsere Uhr.",
    en="A certificate of the peer is not valid yet. Check its begin and our clock.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="RFC 5280 §4.1.2.5",
)
TLS_REVOKED = kind(
    "tls.revoked",
    de="Das Zertifikat {serial} der Gegenstelle ist gesperrt oder suspendiert.",
    en="The peer's certificate {serial} is revoked or suspended.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="RFC 5280 §5",
)
TLS_WRONG_USE = kind(
    "tls.wrong_use",
    de="Das Zertifikat der Gegenstelle ist nicht für TLS bestimmt ({why}). Sie muss ihr TLS-Zertifikat zeigen.",
    en="The peer's certificate is not meant for TLS ({why}). It has to present its TLS certificate.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §4.1.1",
)
TLS_BAD_CERTIFICATE = kind(
    "tls.bad_certificate",
    de="Das Zertifikat der Gegenstelle ist nicht zulässig: {why}.",
    en="The peer's certificate is not acceptable: {why}.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §3, §4.1.1",
)
TLS_NO_AGREEMENT = kind(
    "tls.no_agreement",
    de="Keine gemeinsame TLS-Version, Cipher Suite oder Kurve nach TR-03116-3 ({why}).",
    en="No TLS version, cipher suite or curve of TR-03116-3 in common ({why}).",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §4.2.1, §4.3.1",
)
TLS_ALERT = kind(
    "tls.alert",
    de="Die Gegenstelle hat die TLS-Verbindung mit der Meldung „{alert}“ abgebrochen.",
    en="The peer ended the TLS connection with the alert “{alert}”.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="RFC 5246 §7.2",
)
TLS_PROTOCOL = kind(
    "tls.protocol",
    de="Die Gegenstelle hält das TLS-Protokoll nicht ein ({why}).",
    en="The peer breaks the TLS protocol ({why}).",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="RFC 5246, RFC 8446",
)
TLS_TRUNCATED = kind(
    "tls.truncated",
    de="Die Verbindung endete ohne close_notify; es kann etwas fehlen.",
    en="The connection ended without close_notify; something may be missing.",
    side=Side.NETWORK,
    retry=Retry.LATER,
    source="RFC 5246 §7.2.1",
)
TLS_CREDENTIALS = kind(
    "tls.credentials",
    de="Eigenes TLS-Zertifikat oder eigener Schlüssel sind unbrauchbar ({why}). Prüfen Sie die Konfiguration.",
    en="Our own TLS certificate or key is unusable ({why}). Check the configuration.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
TLS_TRUST = kind(
    "tls.trust",
    de="Die Vertrauensliste ist unbrauchbar ({why}). Sie braucht die Wurzel; Sub-CAs müssen zu ihr führen.",
    en="The trust list is unusable ({why}). It needs the root; Sub-CAs have to lead to it.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §3",
)
TLS_LIBRARY = kind(
    "tls.library",
    de="Die TLS-Bibliothek hält die Vorgaben nicht ein ({why}). Installieren Sie die Fassungen aus requirements.lock.",
    en="The TLS library does not meet the requirements ({why}). Install the versions of requirements.lock.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §4",
)
TLS_NOT_ALLOWED = kind(
    "tls.not_allowed",
    de="TR-03116-3 lässt {what} nicht zu. Nehmen Sie es aus der Konfiguration.",
    en="TR-03116-3 does not allow {what}. Take it out of the configuration.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §4.2.1, §4.3.1",
)

"""Refusals about certificates, chains and revocation lists of the SM-PKI."""

from torwart.kernel.refusals import Retry, Side, kind

_PROFILE = "spec/04 §3.2 (certificate extensions)"

PKI_MALFORMED = kind(
    "pki.malformed",
    de="Das ist kein lesbares X.509-Zertifikat und keine lesbare Sperrliste: {why}. Bitte DER oder PEM liefern.",
    en="This is no readable X.509 certificate or revocation list: {why}. Supply DER or PEM.",
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="RFC 5280 §4.1",
)
PKI_NAME = kind(
    "pki.name",
    de="Der Name „{name}“ passt nicht zur SM-PKI: {why}.",
    en='The name "{name}" does not fit the SM-PKI: {why}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §3.1 (names)",
)
PKI_ROLE = kind(
    "pki.role",
    de="Das Zertifikat von „{name}“ gehört der Rolle {found}; gebraucht wird {wanted}.",
    en='The certificate of "{name}" belongs to role {found}; {wanted} is needed.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §3.1 (common-name suffix)",
)
PKI_USE = kind(
    "pki.use",
    de="Das Zertifikat von „{name}“ ist ein {found}-Zertifikat; gebraucht wird {wanted}.",
    en='The certificate of "{name}" is for {found}; {wanted} is needed.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="Key Lifecycle Security Requirements §2.6; spec/04 §2 (key triple)",
)
PKI_KEY_USAGE = kind(
    "pki.key_usage",
    de="Die Schlüsselverwendung (KeyUsage) im Zertifikat von „{name}“ ist falsch: {why}.",
    en='The key usage in the certificate of "{name}" is wrong: {why}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source=_PROFILE,
)
PKI_EXTENDED_KEY_USAGE = kind(
    "pki.extended_key_usage",
    de="Die erweiterte Schlüsselverwendung im Zertifikat von „{name}“ ist falsch: {why}.",
    en='The extended key usage in the certificate of "{name}" is wrong: {why}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source=_PROFILE,
)
PKI_ALTERNATIVE_NAME = kind(
    "pki.alternative_name",
    de="Der alternative Name (SubjectAltName) im Zertifikat von „{name}“ ist falsch: {why}.",
    en='The subject alternative name in the certificate of "{name}" is wrong: {why}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source=_PROFILE,
)
PKI_BASIC_CONSTRAINTS = kind(
    "pki.basic_constraints",
    de="Die BasicConstraints im Zertifikat von „{name}“ sind falsch: {why}.",
    en='The basic constraints in the certificate of "{name}" are wrong: {why}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source=_PROFILE,
)
PKI_CRITICALITY = kind(
    "pki.criticality",
    de="Die Erweiterung {extension} im Zertifikat von „{name}“ muss {wanted} sein.",
    en='Extension {extension} in the certificate of "{name}" must be {wanted}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source=_PROFILE,
)
PKI_EXTENSION_MISSING = kind(
    "pki.extension_missing",
    de="Dem Zertifikat von „{name}“ fehlt die Erweiterung {extension}.",
    en='The certificate of "{name}" lacks extension {extension}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source=_PROFILE,
)
PKI_EXTENSION_FORBIDDEN = kind(
    "pki.extension_forbidden",
    de="Das Zertifikat von „{name}“ trägt die verbotene Erweiterung {extension}.",
    en='The certificate of "{name}" carries the forbidden extension {extension}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source=_PROFILE,
)
PKI_NOT_YET_VALID = kind(
    "pki.not_yet_valid",
    de="Das Zertifikat von „{name}“ gilt erst ab {since}.",
    en='The certificate of "{name}" is valid only from {since}.',
    side=Side.CA,
    retry=Retry.LATER,
    source="RFC 5280 §4.1.2.5",
)
PKI_EXPIRED = kind(
    "pki.expired",
    de="Das Zertifikat von „{name}“ ist seit {until} abgelaufen; es wird ein neues gebraucht.",
    en='The certificate of "{name}" expired at {until}; a new one is needed.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="RFC 5280 §4.1.2.5",
)
PKI_CURVE = kind(
    "pki.curve",
    de="Der Schlüssel im Zertifikat von „{name}“ liegt auf {found}; erlaubt ist {wanted}.",
    en='The key in the certificate of "{name}" is on {found}; allowed is {wanted}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §3 table 5 and §4.1.1 table 6",
)
PKI_POINT_FORMAT = kind(
    "pki.point_format",
    de="Der Schlüssel im Zertifikat von „{name}“ ist nicht unkomprimiert mit benannter Kurve kodiert.",
    en='The key in the certificate of "{name}" is not encoded uncompressed with a named curve.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §2.2",
)
PKI_SIGNATURE_ALGORITHM = kind(
    "pki.signature_algorithm",
    de="„{name}“ ist mit {found} unterschrieben; erlaubt ist {wanted}.",
    en='"{name}" is signed with {found}; allowed is {wanted}.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §3 table 5",
)
PKI_ISSUER_UNKNOWN = kind(
    "pki.issuer_unknown",
    de="Der Aussteller „{issuer}“ von „{name}“ gehört nicht zu den Zertifizierungsstellen, denen wir vertrauen.",
    en='The issuer "{issuer}" of "{name}" is none of the certification authorities we trust.',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §1; spec/04 §3.1",
)
PKI_SIGNATURE = kind(
    "pki.signature",
    de="Die Unterschrift des Ausstellers unter „{name}“ ist ungültig.",
    en='The issuer\'s signature on "{name}" is invalid.',
    side=Side.CA,
    retry=Retry.NEVER,
    source="RFC 5280 §6.1.3",
)
PKI_SHELL = kind(
    "pki.shell",
    de="Das Zertifikat von „{name}“ gilt nicht vollständig innerhalb der Gültigkeit seines Ausstellers „{issuer}“.",
    en='The validity of "{name}" does not lie within that of its issuer "{issuer}".',
    side=Side.CA,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §3.3 (shell model)",
)
PKI_REVOKED = kind(
    "pki.revoked",
    de="Das Zertifikat von „{name}“ ist gesperrt seit {since} ({reason}).",
    en='The certificate of "{name}" has been revoked since {since} ({reason}).',
    side=Side.CA,
    retry=Retry.NEVER,
    source="RFC 5280 §5; spec/04 §3.3",
)
PKI_SUSPENDED = kind(
    "pki.suspended",
    de="Das Zertifikat von „{name}“ ist seit {since} vorläufig gesperrt (suspendiert).",
    en='The certificate of "{name}" has been suspended since {since}.',
    side=Side.CA,
    retry=Retry.LATER,
    source="TR-03129-4 §2.3.5; spec/04 §3.3",
)
PKI_CRL_SIGNATURE = kind(
    "pki.crl_signature",
    de="Die Sperrliste von „{issuer}“ ist nicht von dieser Stelle unterschrieben.",
    en='The revocation list of "{issuer}" is not signed by that authority.',
    side=Side.CA,
    retry=Retry.LATER,
    source="RFC 5280 §6.3.3",
)
PKI_CRL_EXPIRED = kind(
    "pki.crl_expired",
    de="Die Sperrliste von „{issuer}“ galt nur bis {until}; eine neue muss geholt werden.",
    en='The revocation list of "{issuer}" was valid only until {until}; fetch a new one.',
    side=Side.CA,
    retry=Retry.LATER,
    source="RFC 5280 §5.1.2.5; spec/04 §3.3",
)
PKI_SEAL_WANTED = kind(
    "pki.seal_wanted",
    de="„{name}“ zeigt ein Wirkzertifikat; hier wird das Gütesiegelzertifikat gebraucht.",
    en='"{name}" shows an operational certificate; the seal certificate is needed here.',
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.3.2 (SMGW-G, SMGW-W)",
)
PKI_OPERATIONAL_WANTED = kind(
    "pki.operational_wanted",
    de="„{name}“ zeigt ein Gütesiegelzertifikat; hier wird das Wirkzertifikat gebraucht.",
    en='"{name}" shows a seal certificate; the operational certificate is needed here.',
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03129-4 §2.3.2 (SMGW-G, SMGW-W)",
)
PKI_EXISTS = kind(
    "pki.exists",
    de="In {directory} liegt schon eine PKI. Ein anderes Verzeichnis nennen oder mit --force überschreiben.",
    en="There is a PKI in {directory} already. Name another directory, or overwrite it with --force.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)

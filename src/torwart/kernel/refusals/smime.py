"""Refusals about S/MIME: every broken form of a secure mail has its own kind, so that its sender learns what to do.

The texts go to whoever wrote the mail. What decryption found wrong is one kind on purpose: an answer that told apart
padding, key and content would be the oracle of TR-03116-4 4.6 (Bleichenbacher, Manger).
"""

from torwart.kernel.refusals import Kind, Retry, Side, kind

_TR = "TR-03116-4"


def _theirs(name: str, source: str, *, de: str, en: str) -> Kind:
    """A fault of who wrote the mail; written otherwise it can pass."""
    return kind(f"smime.{name}", de=de, en=en, side=Side.CLIENT, retry=Retry.AFTER_CHANGE, source=source)


# -- form -------------------------------------------------------------------------------------------------------------

SMIME_MALFORMED = _theirs(
    "malformed",
    "RFC 8551; RFC 5652",
    de="Die gesicherte Mail ist kein lesbares S/MIME: {why}. Bitte erneut senden; ein Server kann sie verändert haben.",
    en="The secured mail is not readable S/MIME: {why}. Please send it again; a mail server may have changed it.",
)
SMIME_CONTENT_TYPE = _theirs(
    "content_type",
    "RFC 8551 §2.4",
    de="Die gesicherte Mail enthält {found}. Wir lesen signierte und verschlüsselte Mails; bitte unkomprimiert senden.",
    en="The secured mail holds {found}. We read signed and encrypted mails; please send it uncompressed.",
)
SMIME_LAYERS = _theirs(
    "layers",
    "spec/05 (limits)",
    de="Die Mail ist mehr als {limit}-mal signiert oder verschlüsselt. Je einmal genügt.",
    en="The mail is signed or encrypted more than {limit} times. Signing once and encrypting once will do.",
)
SMIME_ALGORITHM = _theirs(
    "algorithm",
    f"{_TR} 4.2 to 4.5",
    de="Das Verfahren für {what} ist nicht zugelassen ({found}). Bitte im Mailprogramm AES und SHA-256 einstellen.",
    en="The algorithm for {what} is not allowed ({found}). Please choose AES and SHA-256 in your mail program.",
)

# -- encryption -------------------------------------------------------------------------------------------------------

SMIME_NOT_FOR_US = _theirs(
    "not_for_us",
    "RFC 5652 §6.2",
    de="Die Mail ist nicht für uns verschlüsselt. Bitte unser aktuelles Verschlüsselungszertifikat verwenden.",
    en="The mail is not encrypted for us. Please use our current encryption certificate.",
)
SMIME_KEY_TRANSPORT = _theirs(
    "key_transport",
    f"{_TR} 4.4.2 Table 21",
    de="Der Schlüssel der Mail ist mit RSA nach PKCS#1 v1.5 verschlüsselt; zugelassen ist RSAES-OAEP. Bitte umstellen.",
    en="The mail's key is encrypted with RSA by PKCS#1 v1.5; RSAES-OAEP is allowed. Please switch to it.",
)
SMIME_CIPHERTEXT = _theirs(
    "ciphertext",
    f"{_TR} 4.6; RFC 5083 §2.2",
    de="Die verschlüsselte Mail lässt sich nicht entschlüsseln; sie wurde unterwegs verändert. Bitte erneut senden.",
    en="The encrypted mail cannot be decrypted; it was changed on its way. Please send it again.",
)

# -- signature --------------------------------------------------------------------------------------------------------

SMIME_PKCS1V15 = _theirs(
    "pkcs1v15",
    f"{_TR} 4.3 Table 19 and 4.8 Table 24 (RSASSA-PKCS1-v1_5: at most until 2023)",
    de="Die Mail ist mit RSA nach PKCS#1 v1.5 signiert; zugelassen sind RSASSA-PSS und ECDSA. Bitte umstellen.",
    en="The mail is signed with RSA by PKCS#1 v1.5; RSASSA-PSS and ECDSA are allowed. Please switch to one of them.",
)
SMIME_SIGNERS = _theirs(
    "signers",
    "RFC 5652 §5.3; spec/05 (identity)",
    de="Die Mail trägt {count} Unterschriften nebeneinander; genau eine ist verlangt.",
    en="The mail carries {count} signatures side by side; exactly one is demanded.",
)
SMIME_ATTRIBUTES = _theirs(
    "attributes",
    "RFC 5652 §5.3, §11.1 and §11.2; RFC 8551 §2.5",
    de="Die signierten Attribute der Mail fehlen oder sind falsch: {why}. Bitte ein anderes Mailprogramm nutzen.",
    en="The signed attributes of the mail are missing or contradict it: {why}. Please send it with another program.",
)
SMIME_TAMPERED = _theirs(
    "tampered",
    "RFC 5652 §5.6",
    de="Der Inhalt der Mail wurde nach dem Signieren verändert. Bitte erneut senden, ohne Umweg über Verteiler.",
    en="The content of the mail was changed after signing. Please send it again, not through a mailing list.",
)
SMIME_SIGNATURE_WRONG = _theirs(
    "signature_wrong",
    "RFC 5652 §5.6",
    de="Die Signatur der Mail passt nicht zum Zertifikat von {name}. Bitte Schlüssel und Zertifikat prüfen.",
    en="The mail's signature does not fit the certificate of {name}. Please check key and certificate.",
)
SMIME_SIGNER_CERTIFICATE = _theirs(
    "signer_certificate",
    "RFC 8550 §2.3",
    de="Das Zertifikat des Unterzeichners liegt der Mail nicht bei. Bitte im Mailprogramm mitsenden lassen.",
    en="The signer's certificate does not come with the mail. Please let your mail program attach it.",
)
SMIME_SIGNER_NOT_SENDER = _theirs(
    "signer_not_sender",
    "RFC 8550 §3; spec/05 (identity)",
    de="Die Mail kommt von {sender}, signiert hat aber {signer}. Absender und Zertifikat müssen übereinstimmen.",
    en="The mail is from {sender}, but was signed by {signer}. Sender and certificate have to agree.",
)

# -- certificates -----------------------------------------------------------------------------------------------------

SMIME_CERTIFICATE = _theirs(
    "certificate",
    "RFC 5280 §4.1",
    de="Das ist kein lesbares Mailzertifikat: {why}. Bitte als DER oder PEM (.cer, .crt, .pem) liefern.",
    en="This is no readable mail certificate: {why}. Please supply it as DER or PEM (.cer, .crt, .pem).",
)
SMIME_EXPIRED = _theirs(
    "expired",
    f"{_TR} 6.1.3; RFC 5280 §6.1.3",
    de="Das Zertifikat von {name} ist am {until} abgelaufen. Bitte ein neues beschaffen und hinterlegen.",
    en="The certificate of {name} expired on {until}. Please get a new one and store it.",
)
SMIME_NOT_YET_VALID = _theirs(
    "not_yet_valid",
    f"{_TR} 6.1.3; RFC 5280 §6.1.3",
    de="Das Zertifikat von {name} gilt erst ab {since}. Bitte bis dahin das bisherige verwenden.",
    en="The certificate of {name} is valid only from {since}. Please use the previous one until then.",
)
SMIME_REVOKED = _theirs(
    "revoked",
    f"{_TR} 6.1.3; RFC 5280 §6.3",
    de="Das Zertifikat von {name} ist seit {since} gesperrt. Bitte ein neues beschaffen und hinterlegen.",
    en="The certificate of {name} has been revoked since {since}. Please get a new one and store it.",
)
SMIME_USAGE = _theirs(
    "usage",
    f"{_TR} 6.1.2; RFC 8550 §4.4",
    de="Das Zertifikat von {name} ist nicht zum {use_de} von Mails ausgestellt. Bitte das dafür vorgesehene verwenden.",
    en="The certificate of {name} was not issued for {use_en} mails. Please use the one meant for it.",
)
SMIME_KEY_WEAK = _theirs(
    "key_weak",
    f"{_TR} 4.3 Table 19, 4.4.2 Tables 21 and 22, 4.5 Table 23",
    de="Der Schlüssel im Zertifikat von {name} ist nicht zugelassen ({found}). Nötig: RSA ab 3072 Bit, EC ab 256 Bit.",
    en="The key in the certificate of {name} is not allowed ({found}). Needed: RSA from 3072 bits, EC from 256 bits.",
)
SMIME_ISSUER_UNKNOWN = _theirs(
    "issuer_unknown",
    f"{_TR} 6.1.1 and 6.1.3",
    de="Der Aussteller „{issuer}“ des Zertifikats von {name} ist hier nicht hinterlegt. Bitte beim Betreiber melden.",
    en='Issuer "{issuer}" of the certificate of {name} is not configured here. Please tell the provider.',
)
SMIME_CHAIN = _theirs(
    "chain",
    f"{_TR} 6.1.3; RFC 5280 §6.1",
    de="Die Zertifikatskette von {name} ist ungültig: {why}. Bitte den Aussteller des Zertifikats fragen.",
    en="The certificate chain of {name} is invalid: {why}. Please ask the issuer of the certificate.",
)
SMIME_NO_RECIPIENT = kind(
    "smime.no_recipient",
    de="Kein hinterlegtes Zertifikat taugt jetzt zum Verschlüsseln. Ein gültiges dafür hinterlegen.",
    en="No stored certificate serves for encrypting now. Store a valid one for it.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="S-MAIL-4; spec/05 (several certificates)",
)
SMIME_OWN_KEY = kind(
    "smime.own_key",
    de="Schlüssel und Zertifikat von {name} passen nicht zusammen: {why}. Das eigene Mailzertifikat berichtigen.",
    en="Key and certificate of {name} do not go together: {why}. Correct our own mail certificate.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="spec/05 (outgoing)",
)

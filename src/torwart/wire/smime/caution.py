"""What a secure mail was accepted with, though it was not as it should be: recorded and shown, never silent."""

from enum import StrEnum

from torwart.kernel.words import Words


class Caution(StrEnum):
    CBC = "cbc"
    OAEP_SHA1 = "oaep_sha1"
    KDF_SHA1 = "kdf_sha1"
    SHA1_CHAIN = "sha1_chain"
    NO_CRL = "no_crl"
    CRL_LATE = "crl_late"
    SIGNED_OUTSIDE = "signed_outside"

    @property
    def words(self) -> Words:
        return _WORDS[self]


_WORDS = {
    # TR-03116-4 Table 20: „AES CBC-Mode … 2025“, 4.7: „ab 2025: GCM-Mode“; spec/05: accepted with a recorded warning.
    Caution.CBC: Words(
        "verschlüsselt mit AES-CBC statt AES-GCM (TR-03116-4 4.4.1: seit 2025 GCM)",
        "encrypted with AES-CBC instead of AES-GCM (TR-03116-4 4.4.1: GCM since 2025)",
    ),
    Caution.OAEP_SHA1: Words("RSAES-OAEP mit SHA-1 statt SHA-256", "RSAES-OAEP with SHA-1 instead of SHA-256"),
    Caution.KDF_SHA1: Words("Schlüsselableitung mit SHA-1 statt SHA-256", "key derivation with SHA-1 not SHA-256"),
    Caution.SHA1_CHAIN: Words("Zertifikatskette mit SHA-1 signiert", "certificate chain signed with SHA-1"),
    Caution.NO_CRL: Words(
        "ohne Sperrprüfung: keine Sperrliste des Ausstellers vorhanden",
        "revocation not checked: there is no revocation list of the issuer",
    ),
    Caution.CRL_LATE: Words("Sperrliste des Ausstellers ist veraltet", "the issuer's revocation list is out of date"),
    Caution.SIGNED_OUTSIDE: Words(
        "nur die Verschlüsselung ist signiert, nicht der Inhalt; er gilt als nicht signiert",
        "only the encryption is signed, not the content; it counts as not signed",
    ),
}

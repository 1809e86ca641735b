"""The table of TR-03116-3 chapter 4: what may be negotiated in the WAN. It stands here and nowhere else."""

from dataclasses import dataclass

from torwart.kernel.refusals.tls import TLS_NOT_ALLOWED

# §4.2.1: "Andere Cipher Suites oder elliptische Kurven, als die in Tabelle 7 oder Tabelle 8 genannten, DÜRFEN NICHT
# für die Kommunikation im WAN oder in der Marktkommunikation unterstützt werden." Names as OpenSSL spells them, in
# our order of preference; the server's preference decides.
SUITES_1_2 = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",  # Tabelle 7, from 2024
    "ECDHE-ECDSA-AES128-SHA256",  # Tabelle 7
    "ECDHE-ECDSA-AES256-GCM-SHA384",  # Tabelle 8
    "ECDHE-ECDSA-AES256-SHA384",  # Tabelle 8
)
SUITES_1_3 = (
    "TLS_AES_128_GCM_SHA256",  # Tabelle 11
    "TLS_AES_256_GCM_SHA384",  # Tabelle 12
    "TLS_AES_128_CCM_SHA256",  # Tabelle 12
)
GROUPS_1_3 = (
    "brainpoolP256r1tls13",  # Tabelle 13, 31
    "brainpoolP384r1tls13",  # Tabelle 13, 32
    "brainpoolP512r1tls13",  # Tabelle 14, 33
)
GROUPS_1_2 = (
    "brainpoolP256r1",  # Tabelle 7, 26
    "P-256",  # Tabelle 7 and 13, 23
    "brainpoolP384r1",  # Tabelle 7, 27
    "brainpoolP512r1",  # Tabelle 8, 28
    "P-384",  # Tabelle 8 and 14, 24
)
GROUPS = GROUPS_1_3 + GROUPS_1_2
# §4.2.2.1: "Digitale Signaturen während des TLS Handshakes MÜSSEN mit ECDSA erstellt werden"; Tabelle 9: SHA-256,
# -384, -512 and no other hash. §4.3.2.1, Tabelle 15 for TLS 1.3 (there the secp names are those of ECDSA+SHA…).
SIGNATURES = (
    "ecdsa_brainpoolP256r1tls13_sha256",
    "ecdsa_brainpoolP384r1tls13_sha384",
    "ecdsa_brainpoolP512r1tls13_sha512",
    "ECDSA+SHA256",
    "ECDSA+SHA384",
    "ECDSA+SHA512",
)
VERSIONS = ("1.2", "1.3")
"""§4.1.2: "Ein Fallback auf eine ältere TLS-Version als TLS 1.2 DARF NICHT möglich sein"; 1.3 is recommended."""

MAX_SESSION_SECONDS = 48 * 3600
"""§4.1.2: "… MÜSSEN eine TLS-Session … auf einen Wert begrenzen, der 48 Stunden nicht überschreitet." """


@dataclass(frozen=True, slots=True)
class Offer:
    """What one end offers of the table, in its order of preference; anything outside raises ``tls.not_allowed``.

    A group list for TLS 1.2 must hold the curve of both certificates (RFC 8422 §5.1), brainpoolP256r1 (Tabelle 6).
    """

    minimum: str = "1.2"
    maximum: str = "1.3"
    suites: tuple[str, ...] = SUITES_1_2
    groups: tuple[str, ...] = GROUPS

    def __post_init__(self) -> None:
        asked = {self.minimum, self.maximum, *self.suites, *self.groups}
        if outside := asked - {*VERSIONS, *SUITES_1_2, *GROUPS}:
            raise TLS_NOT_ALLOWED(what=", ".join(sorted(outside)))


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both ends agreed on. ``suite`` and ``group`` in OpenSSL's names; ``encrypt_then_mac`` (RFC 7366) is
    ``None`` where the suite has no MAC of its own (GCM, CCM).
    """

    version: str
    suite: str
    group: str
    encrypt_then_mac: bool | None
    extended_master_secret: bool

    def details(self) -> dict[str, object]:
        """Its fields by name, for facts and logs."""
        return {name: getattr(self, name) for name in self.__slots__}

"""What may be chosen about a CMS message: suite, switches, limits. Everything else is fixed by the profile."""

from dataclasses import dataclass
from enum import StrEnum


class Suite(StrEnum):
    """The content encryptions of DS 5.2.2 Table 5.1, by the names the WAN communication profile uses.

    TR-03116-3 8.1.1: „Alle Verfahren der Tabelle 20 MÜSSEN unterstützt werden.“
    """

    GCM = "CMS_ECKAEG_AES_128_GCM"
    CBC_CMAC = "CMS_ECKAEG_AES_128_CBCCMAC"


class Kdf(StrEnum):
    """The hash of the X9.63 key derivation (DS 5.3.2.2.1); TR-03116-3 Table 21 prescribes SHA-256."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class SharedInfo(StrEnum):
    """What the key derivation hashes beside Z and counter: the standards at hand do not say (divergences)."""

    RFC5753 = "rfc5753"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Switches:
    """Choices where the governing text is silent or gives two ways; both ends must agree on them.

    ``shared_info``: governs sending and receiving. ``kdf``, ``named_curve`` (curve identifier beside the ephemeral
    key), ``cmac_parameters`` (random IV as authenticated parameter, DS 5.4, instead of IV = 0): sending only; every
    form is understood. ``require_compression``: refuse received messages without CompressedData.
    ``extra_signed_attributes``, ``certificate_chain``: tolerate more signed attributes than contentType and
    messageDigest, and more certificates than the signer's own; needed for the request packages of the SM-PKI.
    ``secg_names``: take the key agreement also under its name in RFC 5753 (dhSinglePass-stdDH), as openssl writes it.
    """

    shared_info: SharedInfo = SharedInfo.RFC5753
    kdf: Kdf = Kdf.SHA256
    named_curve: bool = True
    cmac_parameters: bool = False
    require_compression: bool = False
    extra_signed_attributes: bool = False
    certificate_chain: bool = False
    secg_names: bool = False


TR_PROFILE = Switches()
"""The profile of TR-03109-1 as written."""

TOLERANT = Switches(extra_signed_attributes=True, certificate_chain=True)
"""For signed messages that only have to be RFC 5652, such as SM-PKI request packages."""


OPENSSL = Switches(secg_names=True)
"""For secrets inside delivery notes, which makers can seal with openssl alone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in octets: of a whole message, of the content that comes out, and how much zlib may blow up.

    ``ratio``: unpacked to packed; counted only above ``ratio_from`` octets of content, because short repetitive
    documents rightly compress a hundredfold.
    """

    message: int = 16 * 2**20
    content: int = 64 * 2**20
    ratio: int = 200
    ratio_from: int = 2**16


DEFAULT_LIMITS = Limits()

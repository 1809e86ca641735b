"""The content encryptions by published vectors and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.cms import Suite
from torwart.wire.cms.content import CONTENT_ENCRYPTIONS, cmac, fresh

pytestmark = pytest.mark.requirement("WAN-1.4")

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
RFC_4493_SECTION_4 = {
    0: "bb1d6929e95937287fa37d129b756746",
    16: "070a16b46b4d4144f79bdd9dd04a287c",
    40: "dfa66747de9ae63030ca32611497c827",
    64: "51f0bebf7e3b9d92fc49741779363cfe",
}


@pytest.mark.parametrize("size", list(RFC_4493_SECTION_4))
def test_cmac_is_that_of_rfc_4493(size):
    """The four examples of RFC 4493 section 4 come out."""
    assert cmac(KEY, MESSAGE[:size]).hex() == RFC_4493_SECTION_4[size]


@given(content=st.binary(max_size=100), aad=st.binary(max_size=40), suite=st.sampled_from(Suite), iv=st.booleans())
def test_what_is_encrypted_is_decrypted_unless_a_bit_is_changed(content, aad, suite, iv):
    """Every content of every length comes back; a changed ciphertext, MAC, attribute or IV does not."""
    sent = fresh(suite, iv)
    ciphertext, mac = sent.mode.encrypt(sent.key, sent.iv, content, aad)

    assert sent.mode.decrypt(sent.key, sent.iv, ciphertext, mac, aad) == content
    for changed in ((ciphertext + b"\x00", mac, aad), (ciphertext, mac[:-1] + bytes([mac[-1] ^ 1]), aad),
                    (ciphertext, mac, aad + b"\x00")):  # fmt: skip
        with pytest.raises(Refusal, match=r"cms\.mac_wrong"):
            sent.mode.decrypt(sent.key, sent.iv, *changed)


def test_padding_is_the_one_of_rfc_5652():
    """Every length gets 1 to 16 octets of padding, so whole blocks too; the ciphertext is never empty."""
    sent = fresh(Suite.CBC_CMAC, False)
    sizes = [len(sent.mode.encrypt(sent.key, sent.iv, bytes(size), b"")[0]) for size in (0, 1, 15, 16, 17, 32)]

    assert sizes == [16, 16, 16, 32, 32, 48]


@pytest.mark.parametrize("last", [b"\x00", b"\x11", b"\x02", b"\xff"])
def test_wrong_padding_is_found_after_the_mac(last):
    """A sender that authenticates a wrongly padded content is refused for the padding (RFC 5652 6.3)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    row = CONTENT_ENCRYPTIONS[b"\x06\x0a\x04\x00\x7f\x00\x07\x01\x03\x01\x01\x02"]
    encryptor = Cipher(algorithms.AES(KEY), modes.CBC(bytes(16))).encryptor()
    ciphertext = encryptor.update(bytes(15) + last) + encryptor.finalize()

    with pytest.raises(Refusal, match=r"cms\.padding"):
        row.mode.decrypt(KEY + KEY, bytes(16), ciphertext, cmac(KEY, ciphertext), b"")
    for incomplete in (b"", ciphertext[:-1]):
        with pytest.raises(Refusal, match=r"cms\.padding"):
            row.mode.decrypt(KEY + KEY, bytes(16), incomplete, cmac(KEY, incomplete), b"")

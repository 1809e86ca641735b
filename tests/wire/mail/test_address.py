"""Addresses as they stand in headers we write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.wire.mail.address import Address, is_address, read_addresses, read_sender


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), max_size=60))
def test_a_written_name_is_read_back(name: str) -> None:
    """Whatever the name, header and reader agree on name and address."""
    address = Address("a@b.example", name)

    found = read_sender([address.header()])
    assert found is not None
    assert (found.address, found.name) == ("a@b.example", " ".join(name.split()))


def test_case_does_not_make_two_people() -> None:
    """Addresses are compared in lower case, and the domain is the part behind the at sign."""
    assert Address("Erika@Stadtwerk.EXAMPLE") == Address("erika@stadtwerk.example")
    assert Address("a@b.example").domain == "b.example"


@pytest.mark.parametrize("text", ["a@b", "a.b+c@d-e.example", "x'y@z.example", "a@1.example"])
def test_usual_addresses_are_addresses(text: str) -> None:
    """What is in use is taken."""
    assert is_address(text)


@pytest.mark.parametrize(
    "text", ["", "@b", "a@", ".a@b", "a.@b", "a..b@c", "a@-b", "a@b-", "a@b..c", '"a b"@c', "a@[127.0.0.1]"]
)
def test_strange_addresses_are_none(text: str) -> None:
    """Forms that exist on paper only, or are wrong, are none."""
    assert not is_address(text)


def test_lists_of_addresses_are_read() -> None:
    """What is no address is left out, commas in quotes and comments do not part."""
    line = 'a@b.example, "X, Y" <c@d.example>, nobody, (e@f.example,) g@h.example'

    assert [address.address for address in read_addresses(line)] == ["a@b.example", "c@d.example", "g@h.example"]

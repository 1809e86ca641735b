"""Results of orders are kept in both languages and read in one."""

from torwart.kernel.outcome import kept, read, value_in
from torwart.kernel.words import Words

_LABEL, _GREEN = Words("Ampel", "Traffic light"), Words("grün", "green")


def test_what_is_kept_is_read_again_in_either_language() -> None:
    """A value in words has both, a plain one is the same in both; lines of three, as they were kept before, too."""
    rows = kept([(_LABEL, _GREEN), (Words("Profile", "Profiles"), "2")])
    assert rows == [["Ampel", "Traffic light", "grün", "green"], ["Profile", "Profiles", "2", "2"]]
    assert read(rows) == [(_LABEL, _GREEN), (Words("Profile", "Profiles"), Words("2", "2"))]
    assert read([["Ampel", "Traffic light", "grün · green"]])[0][1] == Words("grün · green", "grün · green")


def test_a_reader_gets_one_language() -> None:
    """German unless it is English."""
    assert (value_in(_GREEN, "de"), value_in(_GREEN, "en"), value_in("2", "en")) == ("grün", "green", "2")

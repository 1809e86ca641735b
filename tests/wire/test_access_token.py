"""Access tokens of the test environment: ours, of one system, for an hour."""

from torwart.wire.access_token import LASTS, client_secret, is_secret, issue, read

SECRET, OTHER = bytes(range(32)), bytes(32)
NAME = "Stadtwerke Köln.EMT"


def test_a_token_names_its_system_for_an_hour() -> None:
    """Not longer, not under another installation's secret, not with a letter changed."""
    token = issue(SECRET, NAME, 1000)
    assert read(SECRET, token, 1000) == read(SECRET, token, 999 + LASTS) == NAME
    assert read(SECRET, token, 1000 + LASTS) is None
    assert read(OTHER, token, 1000) is None
    name, until, mac = token.split(".")
    for forged in (
        f"{name}.{int(until) + 9999}.{mac}",
        f"{name[:-1]}A.{until}.{mac}",
        "",
        "..",
        "a.b.c",
        "x" * 5000,
        "ä.1.ß",
    ):
        assert read(SECRET, forged, 1000) is None, forged


def test_a_secret_is_one_systems() -> None:
    """It is no token, and a token is no secret."""
    mine = client_secret(SECRET, NAME)
    assert is_secret(SECRET, NAME, mine)
    for wrong in (
        "",
        client_secret(SECRET, "other"),
        client_secret(OTHER, NAME),
        mine[:-1],
        issue(SECRET, NAME, 0),
        "\udcff",
    ):
        assert not is_secret(SECRET, NAME, wrong)
    assert read(SECRET, mine, 0) is None

"""docs/states.md is the tables."""

from pathlib import Path

from torwart.config.states import page


def test_the_page_is_written_from_the_tables() -> None:
    """Whoever changes a table writes the page anew: python -m torwart.config.states > docs/states.md."""
    assert (Path(__file__).parents[2] / "docs" / "states.md").read_text(encoding="utf-8") == page()

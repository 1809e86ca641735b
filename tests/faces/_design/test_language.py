"""German and English stand side by side and the right one is shown."""

from django.template import Context, Template
from django.utils import translation

from torwart.faces._design.language import t
from torwart.kernel.words import Words


def shown(source: str, language: str, **values: object) -> str:
    with translation.override(language):
        return Template(source).render(Context(values))


def test_both_languages_come_from_the_template() -> None:
    """Ours may hold markup, values are escaped."""
    source = '{% t "noch <b>{n}</b>" "<b>{n}</b> left" n=n %}'
    assert shown(source, "de", n="<i>") == "noch <b>&lt;i&gt;</b>"
    assert shown(source, "en", n=3) == "<b>3</b> left"


def test_a_text_in_python_is_chosen_when_it_is_shown() -> None:
    """Not when the module is loaded."""
    label = t("Auftrag", "Order")
    for language, expected in (("de", "Auftrag"), ("en", "Order"), ("en-gb", "Order"), ("fr", "Auftrag")):
        with translation.override(language):
            assert str(label) == expected


def test_words_of_the_kernel_are_said_in_the_active_language() -> None:
    assert shown("{{ words|said }}", "en", words=Words("läuft", "running")) == "running"
    assert shown("{{ words|said }}", "de", words="<b>") == "&lt;b&gt;"

"""The interface's manual: complete, in both languages, without scripts from elsewhere, and no page without its link."""

import re
from typing import Any

import browser as support
import pytest
from django.test import Client
from django.utils.html import escape

from torwart.config import openapi
from torwart.kernel.refusals import KINDS
from torwart.processes.definition import catalogue

pytestmark = pytest.mark.requirement("O-7")
BASE = "/schnittstelle/"
PAGES = ("", "aufrufe/", "probleme/", "probleme/interface.suspended")


def page(path: str, language: str = "de") -> str:
    answer = Client(SERVER_NAME="localhost").get(f"{BASE}{path}?sprache={language}", follow=True)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_every_process_is_told_with_its_calls(db: None) -> None:
    """Each one offered: fields, JSON, curl, Python; each one not offered: why, and the form."""
    for language in ("de", "en"):
        manual = page("", language)
        for process in catalogue().values():
            assert process.words.text(language) in manual or not (process.over_interface or process.over_form)
            if process.over_interface:
                path = f"/v1/operations/{process.name.replace('_', '-')}"
                assert f"POST {path}" in manual
                assert f"curl &quot;https://gwa.example:8446{path}&quot;" in manual
                assert f"order = torwart.{process.name}(" in manual
                assert all(f"<code>{field.name}</code>" in manual for field in process.fields)
            elif process.over_form:
                assert f"/portal/bestellen/{process.name}" in manual


def test_the_reference_has_every_operation_and_no_dead_link(db: None) -> None:
    """All of the description: each call, each type; what a link leads to is there."""
    shown, document = page("aufrufe/"), openapi.present(openapi.PATH)
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in shown
    anchors = set(re.findall(r'id="([^"]+)"', shown))
    assert set(re.findall(r'href="#([^"]+)"', shown)) <= anchors
    assert {"type-WakeUpOrder", "type-Operation", "type-Problem"} <= anchors


def test_every_refusal_has_its_page(db: None) -> None:
    """The list names all of the closed list; each page opens, in both languages."""
    listed = page("probleme/")
    for code in KINDS:
        assert f'href="{BASE}probleme/{code}"' in listed, code
    for code in list(KINDS)[::20]:
        for language, words in (("de", KINDS[code].words.de), ("en", KINDS[code].words.en)):
            told = page(f"probleme/{code}", language)
            assert code in told
            assert escape(words.partition("{")[0].strip()) in told, code
            assert escape(words.partition("{")[0].strip()) in page("probleme/", language), code


def test_nothing_comes_from_elsewhere(db: None) -> None:
    """No script, style, font or picture of another host."""
    for path in PAGES:
        assert not re.findall(r'(?:src|href)="(?:https?:)?//(?!localhost)[^"]+"', page(path)), path


def test_the_manual_in_a_real_browser(own_database: str, chromium: Any) -> None:
    """axe finds nothing, nothing is cut off at 320 pixels, in both languages, without JavaScript too."""
    for path in PAGES:
        support.check_page(chromium.open(BASE + path))

"""Somebody at the portal, without a browser: pages are fetched, their forms are filled in and sent, as people do.

Nothing here knows the portal's pages; it finds the fields of whatever form it is shown, by their names. So the
demonstration goes the same way as a person without JavaScript, and breaks where that person would be stuck.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

Values = Mapping[str, Any]
_MOST_PAGES = 20


@dataclass
class Form:
    """A form as shown: ``kept`` is what it would send untouched, ``names`` what it asks for, ``choices`` where only
    certain values can be chosen.
    """

    action: str = ""
    method: str = "get"
    kept: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    passwords: set[str] = field(default_factory=set)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def filled(self, values: Values) -> list[tuple[str, str]]:
        """What it sends with these values; those it does not ask for are left out."""
        mine = {name: value for name, value in _spread(values).items() if name in self.names}
        kept = [(name, value) for name, value in self.kept if name not in mine]
        return kept + [(name, value) for name, texts in mine.items() for value in self._sent(name, texts)]

    def _sent(self, name: str, texts: Sequence[str]) -> Iterable[str]:
        return texts if name in self.choices else ["\n".join(texts)]


def _spread(values: Values) -> dict[str, list[str]]:
    """Every value as texts; an instant also as the two fields people are given for day and time."""
    spread: dict[str, list[str]] = {}
    for name, value in values.items():
        texts = [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
        spread[name] = texts
        moment = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*", texts[0]) if len(texts) == 1 else None
        if moment:
            spread[f"{name}_0"], spread[f"{name}_1"] = [moment[1]], [moment[2]]
    return spread


class _Forms(HTMLParser):
    """Collects the forms of a page, and the text of its error messages."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._area: str | None = None
        self._text = ""
        self._select: str | None = None
        self.alerts: list[str] = []
        self._depth = 0
        """How many ``div`` lie open since the alert being read began, 0 outside of one."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "div" and (self._depth or "kern-alert--danger" in given.get("class", "")):
            self.alerts += [""] * (self._depth == 0)
            self._depth += 1
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        if self._form is None:
            return
        name = given.get("name", "")
        if tag == "input" and name:
            self._input(self._form, name, given, {key for key, _ in attrs})
        elif tag == "textarea" and name:
            self._form.names.add(name)
            self._area, self._text = name, ""
        elif tag == "select" and name:
            self._form.names.add(name)
            self._form.choices.setdefault(name, [])
            self._select = name
        elif tag == "option" and self._select:
            self._form.choices[self._select].append(given.get("value", ""))
            if "selected" in {key for key, _ in attrs}:
                self._form.kept.append((self._select, given.get("value", "")))

    def _input(self, form: Form, name: str, given: dict[str, str], flags: set[str]) -> None:
        kind, value = given.get("type", "text"), given.get("value", "")
        if kind in ("submit", "button", "image", "file"):
            return
        if kind == "password":
            form.passwords.add(name)
        if kind != "hidden":
            form.names.add(name)
        if kind in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(value or "on")
            if "checked" in flags:
                form.kept.append((name, value or "on"))
        else:
            form.kept.append((name, value))

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.alerts[-1] += f" {data}"
        if self._area is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._depth:
            self._depth -= 1
        if tag == "textarea" and self._area is not None and self._form is not None:
            self._form.kept.append((self._area, self._text.removeprefix("\n")))
            self._area = None
        elif tag == "select":
            self._select = None
        elif tag == "form":
            self._form = None


@dataclass(frozen=True, slots=True)
class Page:
    """What was shown: where, with which status, and its HTML."""

    url: str
    status: int
    html: str

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def text(self) -> str:
        """The words of the page's main part on one line, without markup."""
        main = re.search(r"<main\b.*?</main>", self.html, flags=re.S)
        plain = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", main[0] if main else self.html, flags=re.S)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", plain)).split())

    def forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.html)
        return parser.forms

    @property
    def complaints(self) -> str:
        """What the page's alerts about errors say."""
        parser = _Forms()
        parser.feed(self.html)
        return " ".join(" ".join(parser.alerts).split())


class StuckError(Exception):
    """A person would not get on here; ``page`` shows why."""

    def __init__(self, page: Page) -> None:
        super().__init__(f"{page.status} {page.path}: {page.complaints or page.text[:300]}")
        self.page = page


class Visitor:
    """One person with one session at ``base``, e.g. ``http://127.0.0.1:8000``."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> Page:
        return self._open(Request(urljoin(self.base, path)))  # noqa: S310 – our own site

    def download(self, path: str) -> bytes:
        with self._opener.open(urljoin(self.base, path), timeout=30) as answer:
            data: bytes = answer.read()
        return data

    def submit(self, page: Page, values: Values, *, to: str = "") -> Page:
        """Fill in and send the page's form; of several the one that goes ``to``, or asks for most of ``values``."""
        posts = [form for form in page.forms() if form.method == "post" and "/abmelden/" not in form.action]
        posts = [form for form in posts if to in form.action]
        if not posts:
            raise StuckError(page)
        form = max(posts, key=lambda each: len(each.names & set(_spread(values))))
        body = urlencode(form.filled(values)).encode()
        request = Request(urljoin(page.url, form.action or page.url), data=body)  # noqa: S310 – our own site
        request.add_header("Referer", page.url)
        return self._open(request)

    def choose_password(self, path: str, password: str) -> Page:
        """Follow an invitation and choose a password."""
        page = self.get(path)
        fields = {name for form in page.forms() for name in form.passwords}
        return self.submit(page, dict.fromkeys(fields, password))

    def sign_in(self, email: str, password: str) -> Page:
        page = self.submit(self.get("/konto/anmelden/"), {"login": email, "password": password})
        if page.path.startswith("/konto/anmelden"):
            raise StuckError(page)
        return page

    def order(self, process: str, values: Values) -> str:
        """Order a process page by page, check and send; the order's number. ``StuckError`` where a page keeps us."""
        page = self.submit(self.get(f"/portal/bestellen/{process}/"), {})
        answers = {"when": "asap", **values}
        for _ in range(_MOST_PAGES):
            if page.path.endswith("/gesendet/"):
                return page.path.split("/")[-3]
            before = page
            if re.fullmatch(r"/portal/bestellen/entwurf/[\w-]+/", page.path):  # the task list: to its first open page
                page = self._open_task(page)
                continue
            page = self.submit(page, answers)
            if page.path == before.path:
                raise StuckError(page)
        raise StuckError(page)

    def _open_task(self, page: Page) -> Page:
        links = re.findall(r'href="(/portal/bestellen/entwurf/[\w-]+/(?:seite/[\w-]+|pruefen)/)"', page.html)
        if not links:
            raise StuckError(page)
        return self.get(links[0])

    def _open(self, request: Request) -> Page:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return Page(answer.url, answer.status, answer.read().decode("utf-8", "replace"))
        except HTTPError as error:
            return Page(error.url, error.code, error.read().decode("utf-8", "replace"))

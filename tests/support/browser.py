"""A real browser on a real server: what tests of pages stand on.

``Site`` serves the web of this process' database on a loopback port. ``Browser.open`` gives a page, signed in or not.
``check_page`` holds the page that is open to what every page owes: axe finds nothing (WCAG 2.2 A and AA), the console
is silent and the content policy unbroken, nothing is cut off at 320 pixels or 200 % zoom, both languages are there,
and it stands without JavaScript.
"""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from socketserver import BaseServer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client
from foreign import need
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, sync_playwright

from torwart.kernel.role import PROVIDER, Role
from torwart.services import user as users

PASSWORD = "Der Ball ist rund und 90 Minuten"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
_AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_THREADS = 4
_RUNNING: list[Any] = []


def chromium() -> str:
    """Where Chromium is."""
    return need("chromium", "chromium-browser", "google-chrome")


class _Pool(WSGIServer):
    """A WSGI server with a few threads that keep their database connections, as ``torwart web`` has."""

    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Silent)
        self.set_app(get_wsgi_application())
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="site")

    def process_request(self, request: Any, client_address: Any) -> None:
        self._threads.submit(self._one, request, client_address)

    def _one(self, request: Any, client_address: Any) -> None:
        try:
            BaseServer.finish_request(self, request, client_address)
        finally:
            self.shutdown_request(request)

    def end(self) -> None:
        together = threading.Barrier(_THREADS)
        for _ in range(_THREADS):
            self._threads.submit(_leave, together)
        self._threads.shutdown()
        self.server_close()


def _leave(together: threading.Barrier) -> None:
    together.wait(timeout=30)
    connections.close_all()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  its name upstream
        pass


class Site:
    """The web on ``url``, until ``serving`` ends."""

    def __init__(self, url: str) -> None:
        self.url = url

    def path(self, page: Page) -> str:
        """Where a page is, without the host."""
        return page.url.removeprefix(self.url)


@contextmanager
def serving() -> Iterator[Site]:
    """Serve this process' Django on a port of its own."""
    server = _Pool()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Site(f"http://localhost:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.end()


def person(email: str, *roles: Role, client: int | None = None, at: datetime, factor: bool | None = None) -> Any:
    """Somebody with an account, invited and joined as people are. Provider roles have a second factor (``factor``)."""
    invitation = users.invite(
        email=email, name="Berg", first_name="Anna", roles=roles, client=client, actor="test", at=at
    )
    _, _, _, _, token, _ = invitation.path.split("/")
    user = users.accept_invitation(invitation.user, token, PASSWORD, at=at)
    if factor if factor is not None else bool(set(roles) & PROVIDER):
        add_totp(user)
    return user


def add_totp(user: Any) -> None:
    """Give somebody the app with codes, its secret being ``TOTP_SECRET``."""
    from allauth.mfa.totp.internal.auth import TOTP

    TOTP.activate(user, TOTP_SECRET)


def session_of(user: Any) -> str:
    """A session as after signing in; its key is what the cookie carries."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Browser:
    """Chromium without a window."""

    def __init__(self, site: Site, engine: Any) -> None:
        self._site, self._engine = site, engine
        self._contexts: list[BrowserContext] = []

    def open(
        self,
        path: str = "/",
        *,
        user: Any = None,
        width: int = 1280,
        height: int = 900,
        javascript: bool = True,
        dark: bool = False,
    ) -> Page:
        """A page at ``path`` in a browser of its own, signed in as ``user`` if one is given."""
        context = self._engine.new_context(
            viewport={"width": width, "height": height},
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            locale="de-DE",
        )
        self._contexts.append(context)
        if user is not None:
            sign_in(context, self._site, user)
        page: Page = context.new_page()
        page.set_default_timeout(8000)
        page.noise = []  # type: ignore[attr-defined]
        page.on("console", lambda message: _heard(page, message))
        page.on("pageerror", lambda error: page.noise.append(str(error)))  # type: ignore[attr-defined]
        page.goto(self._site.url + path)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()


def _heard(page: Page, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        page.noise.append(message.text)  # type: ignore[attr-defined]


def sign_in(context: BrowserContext, site: Site, user: Any) -> None:
    """Put a session of ``user`` into the browser."""
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": site.url}])


@contextmanager
def engine() -> Iterator[Any]:
    """One Chromium for a test session; whoever asks while one runs gets the same."""
    if _RUNNING:
        yield _RUNNING[0]
        return
    # Playwright keeps an event loop in this thread; Django would take that for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        _RUNNING.append(playwright.chromium.launch(executable_path=chromium(), args=_FLAGS))
        try:
            yield _RUNNING[0]
        finally:
            _RUNNING.clear()


def check_page(page: Page, *, status: int = 200) -> None:
    """Hold the page to what every page owes, in both languages; it is shown anew in the course of this."""
    address = page.url
    for language, other in (("de", "en"), ("en", "de")):
        page.goto(_with(address, language))
        assert page.evaluate("document.documentElement.lang") == language
        assert f"{other.upper()}" in page.locator(".tw-bar__languages").inner_text().upper()
        assert faults(page) == []
        _fits(page)
    page.goto(_with(address, "de"))
    assert [text for text in page.noise if status == 200 or "status of" not in text] == []  # type: ignore[attr-defined]
    _stands_without_script(page, status)


def faults(page: Page) -> list[str]:
    """What axe finds on the page as it is now: rule, what it says, where."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", _RULES
    )
    return [
        f"{rule['id']}: {rule['help']} – {node['html'][:160]} – {node.get('failureSummary', '')[:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def _with(address: str, language: str) -> str:
    base, _, query = address.partition("?")
    rest = [part for part in query.split("&") if part and not part.startswith("sprache=")]
    return f"{base}?{'&'.join([*rest, f'sprache={language}'])}"


def _fits(page: Page) -> None:
    """No sideways scrolling at 320 CSS pixels (WCAG 1.4.10) nor at 200 % zoom of 1280 (that is 640)."""
    usual = page.viewport_size
    for width in (320, 640):
        page.set_viewport_size({"width": width, "height": 800})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{page.url} is {over} px too wide at {width} px: {_widest(page)}"
    assert usual is not None
    page.set_viewport_size(usual)


def _widest(page: Page) -> Any:
    return page.evaluate(
        "() => [...document.querySelectorAll('body *')]"
        ".filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)"
        ".slice(0, 5).map(e => e.outerHTML.slice(0, 120))"
    )


def _stands_without_script(page: Page, status: int) -> None:
    engine_of = page.context.browser
    assert engine_of is not None
    context = engine_of.new_context(java_script_enabled=False, locale="de-DE")
    try:
        context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        plain = context.new_page()
        answer = plain.goto(page.url, wait_until="domcontentloaded")
        assert answer is not None
        assert answer.status == status
        assert plain.locator("h1").count() == 1
        assert plain.locator("h1").is_visible()
    finally:
        context.close()

"""A page to read a client's mailboxes in a browser: every mail as it came, and as its reader sees it."""

import html
import json
from collections.abc import Callable, Mapping
from email import message_from_bytes, policy
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from torwart.kernel.words import Words
from torwart.sim.mailbox.mailbox import ClientMailbox, Received

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f3f6f7;color:#16262e}
header{background:#0b4f4f;color:#fff;padding:.8rem 1.2rem}header a{color:#fff}header p{margin:.2rem 0 0}
main{display:grid;grid-template-columns:minmax(16rem,26rem) 1fr;min-height:calc(100vh - 5rem)}
nav{border-right:1px solid #c5ced3;background:#fff;overflow:auto}nav h2{font-size:1rem;margin:1rem 1.2rem .3rem}
nav a{display:block;padding:.5rem 1.2rem;color:inherit;text-decoration:none;border-top:1px solid #e4eaed}
nav a:hover,nav a[aria-current]{background:#e3f0f0}nav small{color:#51626b;display:block}
article{padding:1.2rem;overflow:auto;min-width:0}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#fff;
border:1px solid #c5ced3;padding:1rem;max-width:52rem}iframe{width:100%;max-width:54rem;height:32rem;background:#fff;
border:1px solid #c5ced3}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#51626b}
dd{margin:0;overflow-wrap:anywhere}.good{color:#1f7a3d}.bad{color:#b3261e}code{font-size:1.05em}
@media(max-width:50rem){main{display:block}nav{border:0}}
"""
_TITLE = Words("Postfächer der Auftraggeber", "The clients' mailboxes")
_LEAD = Words(
    "Simulierte Postfächer. Jede Mail, die der Betrieb gesendet hat, so wie sie ankam.",
    "Simulated mailboxes. Every mail the provider has sent, as it arrived.",
)
_NOTHING = Words("Noch keine Mail.", "No mail yet.")
_PICK = Words("Wählen Sie links eine Mail.", "Choose a mail on the left.")
_SIGNED = Words("signiert von {who}", "signed by {who}")
_UNSIGNED = Words("nicht signiert", "not signed")
_ENCRYPTED = Words("verschlüsselt", "encrypted")
_OPEN = Words("nicht verschlüsselt", "not encrypted")
_RAW = Words("Rohdaten (.eml)", "Raw (.eml)")
_CODES = Words("Anmeldecodes", "Codes for signing in")


class MailboxPage:
    """Serves between ``start`` and ``stop``. ``names``: address → how a person is called; ``codes``: what answers the
    codes of people's second factor now, by address.
    """

    def __init__(
        self,
        mailbox: ClientMailbox,
        names: Mapping[str, str],
        codes: Callable[[], Mapping[str, str]] = dict,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._mailbox, self._names, self._codes = mailbox, names, codes
        page = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 – its name upstream
                """Say nothing."""

            def do_GET(self) -> None:
                page._answer(self)

        self._server = ThreadingHTTPServer((host, port), Handler)
        self.url = f"http://{host}:{self._server.server_port}/"
        self._thread = Thread(target=self._server.serve_forever, name="mailbox-page", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        mails = self._mailbox.mails()
        chosen = parse_qs(parts.query).get("mail", [""])[0]
        number = int(chosen) if chosen.isdigit() and int(chosen) < len(mails) else None
        if parts.path == "/" or number is None:
            self._send(request, self._whole(mails, number), "text/html; charset=utf-8")
        elif parts.path == "/raw":
            self._send(request, mails[number].raw, "message/rfc822")
        elif parts.path == "/html":
            self._send(
                request, _html(mails[number]).encode(), "text/html; charset=utf-8", "sandbox; style-src 'unsafe-inline'"
            )
        elif parts.path == "/mails.json":
            self._send(request, json.dumps(len(mails)).encode(), "application/json")
        else:
            request.send_error(HTTPStatus.NOT_FOUND)

    def _send(self, request: BaseHTTPRequestHandler, body: bytes, kind: str, more: str = "") -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        rules = f"default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; {more}"
        request.send_header("Content-Security-Policy", rules)
        request.send_header("X-Content-Type-Options", "nosniff")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _whole(self, mails: list[Received], number: int | None) -> bytes:
        shown = _mail(mails[number], number) if number is not None else f"<p>{_e(_PICK.text())}</p>"
        parts = [
            "<!doctype html><html lang='de'><meta charset='utf-8'>",
            "<meta name='viewport' content='width=device-width, initial-scale=1'>",
            f"<title>{_e(_TITLE.text())}</title><style>{_STYLE}</style>",
            f"<header><strong><a href='/'>{_e(_TITLE.text())}</a></strong><p>{_e(_LEAD.text())}</p></header>",
            f"<main><nav>{self._list(mails, number)}</nav><article>{shown}</article></main></html>",
        ]
        return "".join(parts).encode()

    def _list(self, mails: list[Received], number: int | None) -> str:
        parts = [self._code_list()]
        for address, name in self._names.items():
            parts.append(f"<h2>{_e(name)}<small>{_e(address)}</small></h2>")
            own = [(index, mail) for index, mail in enumerate(mails) if mail.to == address]
            if not own:
                parts.append(f"<a>{_e(_NOTHING.text())}</a>")
            for index, mail in reversed(own):
                subject = mail.mail.subject if mail.mail else str(mail.refusal)
                here = " aria-current='page'" if index == number else ""
                how = " · S/MIME" if mail.opened and mail.opened.encrypted else ""
                parts.append(f"<a href='/?mail={index}'{here}>{_e(subject)}<small>{mail.at:%H:%M:%S}{how}</small></a>")
        return "".join(parts)

    def _code_list(self) -> str:
        codes = self._codes()
        if not codes:
            return ""
        rows = "".join(f"<a>{_e(who)}<br><code>{_e(code)}</code></a>" for who, code in codes.items())
        return f"<h2>{_e(_CODES.text())}</h2>{rows}"


def _mail(received: Received, number: int) -> str:
    mail, opened = received.mail, received.opened
    if mail is None or opened is None:
        return (
            f"<p class='bad'>{_e(str(received.refusal))}</p><p><a href='/raw?mail={number}'>{_e(_RAW.text())}</a></p>"
        )
    who = ", ".join(opened.addresses)
    signed = f"<span class='good'>{_e(_SIGNED.text(who=who))}</span>" if opened.signed else _e(_UNSIGNED.text())
    sealed = f"<span class='good'>{_e(_ENCRYPTED.text())}</span>" if opened.encrypted else _e(_OPEN.text())
    files = ", ".join(f"{_e(each.name)} ({len(each.content)} B)" for each in mail.attachments)
    rows = {
        Words("Von", "From"): _e(f"{mail.from_name} <{mail.from_address}>"),
        Words("An", "To"): _e(received.to),
        Words("Betreff", "Subject"): f"<strong>{_e(mail.subject)}</strong>",
        Words("S/MIME", "S/MIME"): f"{signed}, {sealed}",
        Words("Dateien", "Files"): files or "–",
        Words("Roh", "Raw"): f"<a href='/raw?mail={number}'>{_e(_RAW.text())}</a>",
    }
    head = "".join(f"<dt>{_e(label.text())}</dt><dd>{value}</dd>" for label, value in rows.items())
    frame = f"<iframe sandbox title='HTML' src='/html?mail={number}'></iframe>"
    return f"<dl>{head}</dl>{frame}<pre>{_e(mail.text)}</pre>"


def _html(received: Received) -> str:
    """The HTML part, to be shown without rights of its own."""
    if received.opened is None:
        return ""
    message = message_from_bytes(received.opened.entity, policy=policy.default)
    body = message.get_body(("html",))
    return str(body.get_content()) if body is not None else ""


def _e(text: str) -> str:
    return html.escape(text, quote=True)

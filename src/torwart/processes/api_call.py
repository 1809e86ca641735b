"""An order as a call of the EMT–GWA interface: one shape for the interface, its manual and the portal's pages.

Whoever has filled in a form sees the very call that would place the same order; ``read`` is what the interface does
with its body.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from torwart.processes.definition import Field, FieldKind, Process
from torwart.processes.summary import Header

HEADER = ("requested_at", "participant", "reference", "remark")
"""Members of a body that every order has beside the fields of its process."""
BASE = "/v1/operations"
CURL = "--cert chain.pem --key key.pem --cacert root.pem --curves brainpoolP256r1 --tls-max 1.2"
"""How curl shows the certificate; those of the SM-PKI are made with a curve that TLS 1.3 leaves out."""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A ``POST`` of ``body``, and how to make it by hand: with a certificate in ``chain.pem``, its key in ``key.pem``
    and the root that is trusted in ``root.pem``.
    """

    process: Process
    body: Mapping[str, Any]

    @property
    def path(self) -> str:
        return path(self.process)

    @property
    def json(self) -> str:
        """The body, as people read it."""
        return json.dumps(self.body, indent=2, ensure_ascii=False)

    def curl(self, url: str, key: str) -> str:
        """The call by curl, to paste into a shell, also twice: ``key`` makes it one order. ``url``: where the interface
        is reached.
        """
        return (
            f'curl "{url}{self.path}" \\\n'
            f"  {CURL} \\\n"
            f'  --header "Content-Type: application/json" --header "Idempotency-Key: {key}" \\\n'
            f"  --data-binary @- <<'JSON'\n{self.json}\nJSON"
        )

    def python(self, url: str) -> str:
        """The call by torwart-client; ``url`` as above."""
        times = {"requested_at"} | {each.name for each in self.process.fields if each.kind is FieldKind.INSTANT}
        values = "".join(f"        {name}={_python(value, name in times)},\n" for name, value in self.body.items())
        needs = "from datetime import datetime\n\n" if times & set(self.body) else ""
        return (
            f"{needs}from torwart_client import TorwartClient, tls_context\n\n"
            'tls = tls_context(certificate="chain.pem", key="key.pem", trust="root.pem")\n'
            f'with TorwartClient("{url}", tls) as torwart:\n'
            f"    order = torwart.{self.process.name}(\n{values}    )\n"
            "    order = torwart.wait(order.id)\n"
            "    print(order.id, order.state)"
        )


def of(process: Process, fields: Mapping[str, Any], header: Header) -> ApiCall:
    """The call that places this order. ``fields``: in canonical form; what was left out stays out."""
    body = {each.name: written(each, fields[each.name]) for each in process.fields if fields.get(each.name)}
    if header.requested_at is not None:
        body["requested_at"] = header.requested_at.isoformat()
    body |= {name: text for name in HEADER[1:] if (text := getattr(header, name))}
    return ApiCall(process, body)


def example(process: Process) -> ApiCall:
    """The call with the examples of the fields that must be there."""
    given = {each.name: [each.example] if each.many else each.example for each in process.fields if not each.optional}
    return of(process, given, Header(reference="R-1"))


def read(sent: Mapping[str, Any]) -> tuple[dict[str, Any], Header]:
    """The fields of the process and the header, from a body."""
    requested = sent.get("requested_at")
    at = datetime.fromisoformat(requested) if requested else None
    header = Header(at, *(sent.get(name) or "" for name in HEADER[1:]))
    return {name: value for name, value in sent.items() if name not in HEADER}, header


def slug(process: str) -> str:
    """A process' name as it stands in addresses."""
    return process.replace("_", "-")


def path(process: Process) -> str:
    """Where the process is ordered."""
    return f"{BASE}/{slug(process.name)}"


def written(field: Field, value: Any) -> Any:
    """A canonical value in JSON: whole numbers are numbers, several values a list, all else is text."""
    if field.many:
        values = value if isinstance(value, list | tuple) else [value]
        return [_one(field, item) for item in values]
    return _one(field, value)


def _one(field: Field, value: Any) -> Any:
    return int(value) if field.kind is FieldKind.NUMBER else str(value)


def _python(value: Any, time: bool) -> str:
    """A value as the client's method takes it."""
    text = json.dumps(value, ensure_ascii=False)
    return f"datetime.fromisoformat({text})" if time else text


def hello(url: str) -> list[tuple[str, str]]:
    """A first call that changes nothing, by name: what can be done here."""
    curl = f'curl "{url}/v1/capabilities" \\\n  {CURL}'
    python = (
        "from torwart_client import TorwartClient, tls_context\n\n"
        'tls = tls_context(certificate="chain.pem", key="key.pem", trust="root.pem")\n'
        f'with TorwartClient("{url}", tls) as torwart:\n'
        '    for process in torwart.capabilities()["processes"]:\n'
        '        print(process["code"], process["words"]["de"], process["operation"])'
    )
    return [("curl", curl), ("Python", python)]


def verifying(keys: Sequence[str]) -> str:
    """How a webhook's receiver makes sure that an event is ours; ``keys``: the public ones that are valid."""
    return _VERIFY.format(keys=", ".join(f'"{key}"' for key in keys))


_VERIFY = """from torwart_client import WebhookVerifier

verifier = WebhookVerifier([{keys}])
seen = set()                                     # keep it where it survives a restart

def receive(headers, body):                      # body: the octets as they came
    event = verifier.verify(headers, body)       # raises BadSignature
    if event.id not in seen:                     # an event may come twice
        seen.add(event.id)
        print(event.type, event.subject, event.data)
    return 204                                   # any 2xx: taken"""

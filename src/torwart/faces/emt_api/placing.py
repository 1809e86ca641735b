"""An order from the body of a call, in whatever dialect it came: placed as any other, or all that stands against it."""

from datetime import datetime
from typing import Any

from torwart.adapters.engine import AbsurdEngine
from torwart.faces.emt_api.problem import Invalid, pointer
from torwart.kernel.refusals import Refusal
from torwart.processes import api_call, ordering
from torwart.processes.definition import Process
from torwart.processes.ordering import Header, Orderer
from torwart.services.interface import Peer

ENGINE = AbsurdEngine()


def place_order(request: Any, process: Process, sent: dict[str, Any]) -> str:
    """Place it for who calls; its number. ``sent``: the body, as its schema gives it."""
    caller: Peer = request.peer
    values, header = api_call.read(sent)
    name = f"EMT-System {caller.name}"
    orderer = Orderer(caller.client, None, name, f"interface:{caller.name}", "interface")
    try:
        return ordering.place(ENGINE, process.name, values, orderer=orderer, header=header, now=request.now)
    except Refusal as refusal:
        raise _all_wrong(process, values, header, orderer, request.now, refusal) from None


def _all_wrong(
    process: Process, values: dict[str, Any], header: Header, orderer: Orderer, now: datetime, first: Refusal
) -> Invalid | Refusal:
    """Everything that stands against the order, by pointer; ``first`` where it cannot be told again."""
    looked = ordering.examine(process.name, values, client=orderer.client, now=now, header=header, orderer=orderer)
    errors = [(pointer(name), refusal) for name, refusal in looked.errors.items()]
    errors += [("", refusal) for refusal in looked.unmet]
    return Invalid(errors) if errors else first

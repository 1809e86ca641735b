"""Orders played with a real engine, real threads and a clock the test sets; the story is up to the test."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from clientele import DEVICE, Clientele, SetClock, clientele

from torwart.adapters.engine import AbsurdEngine, Tuning
from torwart.processes import ordering
from torwart.processes.definition import Process, process
from torwart.processes.ordering import Header
from torwart.processes.telling import Patience, Telling, World, story_of
from torwart.store.models import MailOut, Order, Run, Ticket

RESULT = {"light": "green", "text": {"de": "alles gut", "en": "all well"}}
Tell = Callable[[Telling], Mapping[str, Any]]


def well(run: Telling) -> Mapping[str, Any]:
    """A connectivity test that goes well."""
    run.enter("accepted")
    run.enter("connection")
    run.enter("verdict")
    return RESULT


@dataclass
class Desk:
    """One client's orders on one engine."""

    clock: SetClock
    engine: AbsurdEngine
    people: Clientele
    patience: Patience = field(default_factory=Patience)

    def tell(self, tell: Tell, name: str = "connectivity_test", **changes: Any) -> Process:
        """Play the process of this name with this story from now on."""
        played = replace(process(name), tell=tell, **changes)
        self.register(played)
        return played

    def register(self, played: Process, **world: Any) -> None:
        # Only the parts of the world the stories of the test touch.
        ports: dict[str, Any] = dict.fromkeys(("link", "keys", "ca", "network", "trust"))
        made = World(**{**ports, "clock": self.clock, "patience": self.patience, **world})
        self.engine.register(played.name, story_of(played, made))

    def place(self, name: str = "connectivity_test", /, *, requested: datetime | None = None, **values: Any) -> str:
        fields = values or {"gateway": DEVICE, "reason": "Neubau"}
        header = Header(requested, reference="B-17", remark="bitte vormittags")
        return ordering.place(
            self.engine, name, fields, orderer=self.people.orderer, header=header, now=self.clock.time
        )

    def work(self) -> None:
        """Do all that is due now."""
        self.engine.work(threads=2, until_idle=True)

    def on(self, **length: float) -> None:
        """Let time pass, then do all that is due."""
        self.clock.on(**length)
        self.work()

    def played(self, name: str = "connectivity_test", /, **values: Any) -> str:
        """An order placed, its time for withdrawing over, and all done that is due."""
        number = self.place(name, **values)
        self.on(seconds=61)
        return number

    def order(self, number: str) -> Order:
        return Order.objects.select_related("run", "ticket").get(number=number)

    def states(self, number: str) -> tuple[str, str, str]:
        """Of order, ticket and run."""
        order = self.order(number)
        return order.state, order.ticket.state, Run.objects.get(order=order).state

    def ticket(self, number: str) -> Ticket:
        return Ticket.objects.get(order__number=number)

    def mails(self, kind: str, language: str = "de") -> list[MailOut]:
        return list(MailOut.objects.filter(kind=kind, language=language).order_by("id"))


def desk(clock: SetClock | None = None) -> Desk:
    """A client that may order, and an engine on its clock that plays good connectivity tests."""
    clock = clock or SetClock()
    made = Desk(clock, AbsurdEngine(clock=clock, tuning=Tuning(poll=0.01, tries=1)), clientele())
    made.tell(well)
    return made


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)

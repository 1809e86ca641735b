"""A client that may order, its people and its gateways, as tests of the service side need them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from torwart.kernel.client_state import ClientState
from torwart.kernel.role import Role
from torwart.processes.ordering import Orderer
from torwart.store.models import Client, Contact, Gateway, MarketParticipant, User

MONDAY = datetime(2026, 6, 1, 8, tzinfo=UTC)
"""Ten in the morning in Berlin, on a day of service."""
DEVICE = "EPPC0200000001"
CODE = "9905048000007"


@dataclass
class SetClock:
    """A clock a test sets."""

    time: datetime = MONDAY

    def now(self) -> datetime:
        return self.time

    def on(self, **length: float) -> datetime:
        self.time += timedelta(**length)
        return self.time


@dataclass(frozen=True)
class Clientele:
    """``first`` and ``second``: contacts with tested mail; ``user``: the first one's account; ``gateway``: its id."""

    client: Client
    user: User
    first: Contact
    second: Contact
    gateway: str

    @property
    def orderer(self) -> Orderer:
        return Orderer(self.client.pk, self.user.pk, self.user.full_name, f"user:{self.user.email}")


def clientele(name: str = "Stadtwerke", *, gateway: str = DEVICE, code: str = CODE, tested: int = 2) -> Clientele:
    """An active client with two contacts (the second reads English), an account, a code number and a gateway."""
    state = ClientState.ACTIVE if tested > 1 else ClientState.ONBOARDING
    client = Client.objects.create(name=name, state=state.value)
    domain = f"{name.lower()}.example"
    user = User.objects.create(
        email=f"erika@{domain}", name="Muster", first_name="Erika", client=client, roles=[Role.CONTACT.value]
    )
    people = [
        Contact.objects.create(
            client=client,
            first_name=first,
            name="Muster",
            phone="+49 261 1",
            email=f"{first.lower()}@{domain}",
            language=language,
            mail_state="tested" if number < tested else "stored",
            user=user if number == 0 else None,
        )
        for number, (first, language) in enumerate((("Erika", "de"), ("Max", "en")))
    ]
    if code:
        MarketParticipant.objects.create(client=client, code=code, name=name)
    Gateway.objects.create(device_id=gateway, client=client, state="operational")
    return Clientele(client, user, people[0], people[1], gateway)


def staff(name: str, *roles: Role) -> User:
    """One of the provider's people."""
    return User.objects.create(
        email=f"{name.lower()}@torwart.example", name=name, first_name="Op", roles=[role.value for role in roles]
    )

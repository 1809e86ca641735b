"""The numbers of ending certificates are those of a full count, whatever has changed and however often they fold."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import connection, transaction
from django.db.models import F, Model, QuerySet, Sum
from django.utils import timezone

from torwart.config.fleet import fill
from torwart.services import certificate_end
from torwart.store import models
from torwart.store.queries import fleet

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
_STATES = ("issued", "installed", "active", "active", "active", "retired", "revoked")
_MAIL_STATES = ("stored", "test_sent", "tested", "tested", "expiring", "expired", "failed")


class World:
    """A few owners and certificates, and what may happen to them, by chance."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.made = seed * 1_000_000
        self.client = models.Client.objects.create(name=f"Stadtwerke {seed}")
        self.gateways = [self._gateway(seed * 10 + number) for number in range(3)]
        self.emt = models.Emt.objects.create(client=self.client, name=f"EMT {seed}", code="1", endpoint="e:443")
        self.contact = models.Contact.objects.create(
            client=self.client, first_name="A", name="B", phone="1", email=f"a{seed}@x.test"
        )

    def _gateway(self, number: int) -> models.Gateway:
        return models.Gateway.objects.create(device_id=f"ETST{number:010d}", client=self.client, state="delivered")

    def do(self) -> None:
        chosen: Callable[[], object] = self.random.choice(
            (self.write, self.write, self.change, self.change, self.remove)
        )
        chosen()

    def write(self) -> None:
        """One statement, from none to several rows."""
        if self.random.random() < 0.3:
            rows = [self._mail_certificate() for _ in range(self.random.randrange(1, 4))]
            models.ContactCertificate.objects.bulk_create(rows)
        else:
            models.Certificate.objects.bulk_create(self._certificate() for _ in range(self.random.randrange(5)))

    def change(self) -> None:
        rows = self._some()
        mail = rows.model is models.ContactCertificate
        what = self.random.randrange(4)
        if what == 0:
            rows.update(state=self.random.choice(_MAIL_STATES if mail else _STATES))
        elif what == 1:
            rows.update(not_after=F("not_after") + timedelta(days=self.random.randrange(-20, 20)))
        elif what == 2 and not mail:
            rows.update(gateway=self.random.choice([None, *self.gateways]), emt=self.random.choice([None, self.emt]))
        elif not mail:
            rows.update(use=self.random.choice(("TLS", "SIG")))

    def remove(self) -> None:
        self._some(2).delete()

    def _some(self, most: int = 4) -> QuerySet[Model]:
        model = self.random.choice((models.Certificate, models.Certificate, models.ContactCertificate))
        mine = model.objects.filter(**{"owner": str(self.client)} if model is models.Certificate else {})
        if model is models.ContactCertificate:
            mine = model.objects.filter(contact=self.contact)
        known = list(mine.order_by("pk").values_list("pk", flat=True))
        return model.objects.filter(pk__in=self.random.sample(known, min(len(known), self.random.randrange(most))))

    def _end(self) -> datetime:
        """Some at midnight of a Monday, and on either side of it."""
        monday = datetime(2026, 11, 23, tzinfo=timezone.get_default_timezone())
        near = timedelta(weeks=self.random.randrange(-3, 90), seconds=self.random.choice((-1, 0, 1)))
        return monday + near if self.random.random() < 0.5 else NOW + timedelta(days=self.random.uniform(-20, 600))

    def _certificate(self) -> models.Certificate:
        self.made += 1
        owner = self.random.choice(({"gateway": self.random.choice(self.gateways)}, {"emt": self.emt}, {}))
        return models.Certificate(
            client=self.client, **owner, owner=str(self.client), role="SMGW",
            use=self.random.choice(("TLS", "TLS", "SIG")), issuer="CN=CA", serial=f"{self.made:x}", ski="00",
            fingerprint=f"{self.made:064x}", not_before=NOW, not_after=self._end(),
            state=self.random.choice(_STATES), der=b"\x30",
        )  # fmt: skip

    def _mail_certificate(self) -> models.ContactCertificate:
        self.made += 1
        return models.ContactCertificate(
            contact=self.contact, fingerprint=f"{self.made:064x}", der=b"\x30", uses=["sign"], subject="s", issuer="i",
            not_before=NOW, not_after=self._end(), source="mail", state=self.random.choice(_MAIL_STATES),
        )  # fmt: skip


def told() -> Counter[tuple[str, object]]:
    """The sums, of every week there is."""
    sums = models.CertificateEnd.objects.values_list("kind", "week").annotate(total=Sum("number"))
    return Counter({(kind, week): total for kind, week, total in sums if total})


def counted() -> Counter[tuple[str, object]]:
    """Looked at one by one, by Python's own calendar."""
    found: Counter[tuple[str, object]] = Counter()
    for row in models.Certificate.objects.filter(state="active", use="TLS"):
        kind = "gateway" if row.gateway_id else "emt" if row.emt_id else "own"
        found[kind, _monday(row.not_after)] += 1
    for mail in models.ContactCertificate.objects.filter(state__in=("tested", "expiring")):
        found["contact", _monday(mail.not_after)] += 1
    return found


def _monday(at: datetime) -> object:
    day = timezone.localdate(at)
    return day - timedelta(days=day.weekday())


@pytest.mark.parametrize("seed", range(4))
def test_the_sums_are_a_full_count(db: None, seed: int) -> None:
    """After each of many changes: rows written, moved, removed, one or several at once or none."""
    world = World(seed)
    for turn in range(120):
        world.do()
        if world.random.random() < 0.15:
            certificate_end.fold()
        if turn % 10 == 9:
            assert told() == counted()

    certificate_end.fold()

    assert told() == counted()
    assert sum(counted().values()) > 10
    assert models.CertificateEnd.objects.count() == len(counted())  # folded: one row each, none for nothing
    shown = fleet.horizon(NOW.date(), 78)
    first, last = NOW.date(), NOW.date() + timedelta(weeks=78)
    assert {(kind, week): number for kind, week, number in shown} == {
        key: number
        for key, number in counted().items()
        if first <= key[1] < last  # type: ignore[operator]
    }


def test_what_is_rolled_back_was_never_counted(db: None) -> None:
    """A change and its count are one transaction."""
    world = World(1)
    world.write()
    before = told()

    with transaction.atomic():
        for _ in range(20):
            world.do()
        transaction.set_rollback(True)

    assert told() == before == counted()


def test_a_fleet_written_in_bulk_is_counted(db: None) -> None:
    """Triggers do not fire while a fleet is copied; it is counted at the end, and then goes on."""
    fill(120, now=NOW)

    assert told() == counted()
    assert {kind for kind, _ in counted()} == {"gateway", "emt", "own", "contact"}
    models.Certificate.objects.filter(gateway__isnull=False, pk__lt=60).update(state="revoked")
    assert told() == counted()


def test_what_was_there_before_is_counted(db: None) -> None:
    """The migration's own count: over whatever the numbers were before."""
    world = World(2)
    for _ in range(40):
        world.do()
    models.CertificateEnd.objects.filter(pk__gt=0).update(number=7)

    with connection.cursor() as cursor:
        cursor.execute("SELECT store_recount_certificates()")

    assert told() == counted()


def test_many_change_and_fold_at_once(own_database: str) -> None:
    """Writers never wait for each other's counts, and neither folding nor recounting beside them loses one."""
    worlds = [World(seed) for seed in range(4)]
    ended, wrong = threading.Event(), list[BaseException]()

    def guarded(do: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                do()
            except BaseException as error:  # noqa: BLE001  told by the test
                wrong.append(error)
            finally:
                connection.close()

        return run

    def write(world: World) -> None:
        for _ in range(80):
            with transaction.atomic():
                world.do()
                world.do()

    def keep(do: Callable[[], object]) -> None:
        while not ended.wait(0.01):
            do()

    def recount() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT store_recount_certificates()")

    writers = [threading.Thread(target=guarded(lambda each=each: write(each))) for each in worlds]  # type: ignore[misc]
    keepers = [
        threading.Thread(target=guarded(lambda do=do: keep(do)))  # type: ignore[misc]
        for do in (certificate_end.fold, certificate_end.fold, recount)
    ]
    for thread in (*writers, *keepers):
        thread.start()
    for thread in writers:
        thread.join(60)
    ended.set()
    for thread in keepers:
        thread.join(10)

    assert wrong == []
    assert told() == counted()
    certificate_end.fold()
    assert told() == counted()

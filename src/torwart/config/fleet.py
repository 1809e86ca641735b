"""A truthful fleet of any size in a database of its own, written by ``COPY`` within a minute for 100,000 gateways.

Clients with contacts and accounts, gateways in all states with meters and certificates, delivery notes, EMTs, one order
a gateway with ticket, run and steps, questions, approved configurations and the audit trail, whose chain holds. Nothing
runs: the durable engine's queues stay empty, and no account has a password until one is given to it.
"""

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from random import Random
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection, transaction
from django.db.models import Model

from torwart.config import fleet_database
from torwart.config.fleet_life import Life, cases, lives
from torwart.config.fleet_orders import Entry, write_orders
from torwart.kernel.gateway_state import GatewayState
from torwart.kernel.identifiers import BdewCode, MaLoId
from torwart.kernel.order_state import OrderState
from torwart.kernel.role import Role
from torwart.rules.audit_chain import GENESIS
from torwart.store import models
from torwart.store.copying import copy

CLIENTS, GATEWAYS_A_CLIENT, EMTS, NOTE = 120, 100, 40, 480
"""``GATEWAYS_A_CLIENT``: a small fleet has fewer clients; ``NOTE``: gateways on one delivery note."""
_USES = ("TLS", "SIG", "ENC")
_TYPES = tuple(
    (f"SMGW-{name}", f"{major}.{minor}.0") for name in ("P", "T", "E") for major in (1, 2) for minor in (2, 4)
)
_SEED = 20261123
_NAMES = (("Anna", "Berg"), ("Bernd", "Busch"), ("Carla", "Dorn"), ("Dirk", "Eich"), ("Eva", "Falk"), ("Fritz", "Grau"))
Rows = Iterable[Sequence[object]]


def fill(gateways: int, *, now: datetime, seed: int = _SEED) -> dict[str, int]:
    """Write the fleet into Django's database, in one transaction; how many of what. Refuses one that is not empty."""
    fleet_database.require_empty()
    with transaction.atomic(), fleet_database.in_bulk():
        written = _Writer(gateways, now, Random(seed)).all()  # noqa: S311  chance, no secret
        fleet_database.set_sequences()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return dict(written)


class _Writer:
    """Writes table by table, parents first. Primary keys count from 1 in the order of writing."""

    def __init__(self, gateways: int, now: datetime, random: Random) -> None:
        self.now, self.random = now, random
        self.clients = max(1, min(CLIENTS, gateways // GATEWAYS_A_CLIENT))
        self.fleet = list(lives(gateways, self.clients, now=now, random=random))
        self.cases = cases(self.fleet, now=now, random=random)
        self.written: Counter[str] = Counter()
        self.entries: list[Entry] = []
        self.der = _certificate(now)

    def all(self) -> Counter[str]:
        for write in (self._clients, self._people, self._devices, self._certificates, self._orders, self._events):
            write()
        self._trail()
        return self.written

    def _copy(self, model: type[Model], columns: str, rows: Rows) -> None:
        def counted() -> Iterator[Sequence[object]]:
            for number, row in enumerate(rows, start=1):
                self.written[model._meta.model_name or ""] = number
                yield row

        copy(model, columns.split(), counted())

    # --- whose it is --------------------------------------------------------------------------------------------------

    def _clients(self) -> None:
        numbers = range(1, self.clients + 1)
        begun = self.now - timedelta(days=1200)
        self._copy(models.Client, "id name state created_at", ((n, _name(n), "active", begun) for n in numbers))
        self._copy(
            models.MarketParticipant,
            "id client_id code name",
            ((n, n, BdewCode.complete(f"99{n:010d}"), _name(n)) for n in numbers),
        )
        self._copy(
            models.Emt,
            "id client_id name code endpoint state",
            (
                (n + 1, n % self.clients + 1, f"EMT {n + 1:02d}", f"{n:013d}", f"emt{n}.example:443/werte", "active")
                for n in range(EMTS)
            ),
        )
        self._copy(models.ApprovedConfiguration, "gateway_type firmware meter_type valid_from", self._approved())
        self._copy(
            models.CcCertificate,
            "number gateway_type firmware valid_from",
            ((f"BSI-DSZ-CC-{900 + n:04d}", *kind, begun) for n, kind in enumerate(_TYPES)),
        )

    def _approved(self) -> Rows:
        meters = (f"eHZ-{letter}" for letter in "PQRST")
        return ((*kind, meter, self.now - timedelta(days=900)) for meter in meters for kind in _TYPES)

    def _people(self) -> None:
        """Three contacts a client with tested certificates, two of them with accounts; two dozen of ours."""
        staff = [(f"person{n}@torwart.example", [role.value], None) for n, role in enumerate(_staff(), start=1)]
        accounts = [
            (f"person{n}@client{client}.example", [role.value], client)
            for client in range(1, self.clients + 1)
            for n, role in enumerate((Role.CONTACT, Role.READER))
        ]
        self.staff = len(staff)
        self._copy(
            models.User,
            "id password email name first_name roles client_id is_active language",
            (
                (pk, "!", email, *reversed(_NAMES[pk % len(_NAMES)]), roles, client, True, "de")
                for pk, (email, roles, client) in enumerate([*staff, *accounts], start=1)
            ),
        )
        people = [(client, n) for client in range(1, self.clients + 1) for n in range(3)]
        self._copy(
            models.Contact,
            "id client_id user_id name first_name phone email active mail_state",
            (
                (
                    pk,
                    client,
                    self.staff + 2 * (client - 1) + n + 1 if n < 2 else None,
                    *reversed(_NAMES[n]),
                    f"+49 261 {pk:06d}",
                    f"person{n}@client{client}.example",
                    True,
                    "tested",
                )
                for pk, (client, n) in enumerate(people, start=1)
            ),
        )
        self._copy(
            models.ContactCertificate,
            "contact_id fingerprint der uses subject issuer not_before not_after source state tested_at",
            (self._mail_certificate(pk) for pk in range(1, len(people) + 1)),
        )

    def _mail_certificate(self, contact: int) -> Sequence[object]:
        begin = self.now - timedelta(days=self.random.randrange(5, 350))
        end, state = begin + timedelta(days=365), "tested"
        if end < self.now + timedelta(days=60):
            state = "expiring"
        words = ("CN=Person", "CN=Mail CA")
        return (
            contact,
            _mark(f"mail{contact}"),
            self.der,
            ["encrypt", "sign"],
            *words,
            begin,
            end,
            "mail",
            state,
            begin,
        )

    # --- devices ------------------------------------------------------------------------------------------------------

    def _devices(self) -> None:
        notes = self._notes()
        self._copy(
            models.Gateway,
            "id device_id client_id state state_since maker model firmware cc_certificate delivery_note_id wan details "
            "first_contact_at last_contact_at commissioned_at blocked_at created_at",
            (self._gateway(life, notes[life.number]) for life in self.fleet),
        )
        self._copy(
            models.Meter,
            "device_id client_id gateway_id state melo malos key_label details first_value_at created_at",
            (row for life in self.fleet for row in self._meters(life)),
        )
        self._copy(models.DeliveryNoteItem, "note_id position device_id kind result", self._items(notes))

    def _notes(self) -> list[int]:
        """Delivery notes of up to ``NOTE`` gateways of one client each; which gateway is on which."""
        newest: dict[int, tuple[int, int]] = {}
        found: list[int] = []
        heads: list[tuple[int, Life]] = []
        sizes: Counter[int] = Counter()
        for life in self.fleet:
            pk, used = newest.get(life.client, (0, NOTE))
            if used == NOTE:
                heads.append((len(heads) + 1, life))
                pk, used = len(heads), 0
            newest[life.client] = pk, used + 1
            found.append(pk)
            sizes[pk] += 1 + len(life.meters)
        self._copy(
            models.DeliveryNote,
            "id client_id maker signer number operator_code state digest imported received_at",
            (
                (pk, life.client + 1, "PPC", "PPC.GWH", f"LS-{pk:06d}", "", "imported", _mark(f"n{pk}"), sizes[pk], at)
                for pk, life in heads
                for at in (life.delivered,)
            ),
        )
        return found

    def _items(self, notes: Sequence[int]) -> Rows:
        places: Counter[int] = Counter()
        for life, note in zip(self.fleet, notes, strict=True):
            for device in (life.device, *life.meters):
                places[note] += 1
                yield note, places[note], device, "SMGW" if device is life.device else "MSB", "imported"

    def _gateway(self, life: Life, note: int) -> Sequence[object]:
        place = f"{life.number // 65536 % 256}.{life.number // 256 % 256}.{life.number % 256}"
        kind = _TYPES[life.number * 7 % 61 % len(_TYPES)]
        return (
            life.number + 1,
            life.device,
            life.client + 1,
            life.state.value,
            life.since,
            "PPC",
            *kind,
            f"BSI-DSZ-CC-{900 + _TYPES.index(kind):04d}",
            note,
            f'{{"type": "LTE", "wake_up": "10.{place}:7711"}}',
            f'{{"address": "Musterweg {life.number % 300 + 1}, 56068 Koblenz"}}',
            life.commissioned,
            life.contact,
            life.commissioned,
            life.since if life.state is GatewayState.BLOCKED else None,
            life.delivered,
        )

    def _meters(self, life: Life) -> Rows:
        on = life.commissioned is not None
        for device in life.meters:
            number = int(device[6:]) * 8 + int(device[4:6])
            yield (
                device,
                life.client + 1,
                life.number + 1 if on else None,
                "operational" if on else "delivered",
                f"DE{number % 97:05d}56068{number:021d}" if on else "",
                json.dumps([MaLoId.complete(f"{4 + number % 5}{number % 10**9:09d}")]) if on else "[]",
                f"lmn/{device}",
                '{"model": "eHZ-P"}',
                life.commissioned,
                life.delivered,
            )

    def _certificates(self) -> None:
        self._copy(
            models.Certificate,
            "client_id gateway_id emt_id owner role use sequence seal issuer serial ski fingerprint not_before "
            "not_after state state_since der",
            self._all_certificates(),
        )

    def _all_certificates(self) -> Rows:
        numbers = count(1)
        for life in self.fleet:
            seal = life.commissioned is None
            issuer = "CN=PPC.CA" if seal else "CN=Torwart.Sub-CA"
            owner: tuple[Any, ...] = (life.client + 1, life.number + 1, None, life.device, "SMGW")
            yield from self._triple(numbers, owner, issuer, self._validity(life), seal=seal)
        valid = (self.now - timedelta(days=200), self.now + timedelta(days=530), "active")
        for emt in range(EMTS):
            owner = (emt % self.clients + 1, None, emt + 1, f"EMT{emt + 1:02d}", "EMT")
            yield from self._triple(numbers, owner, "CN=Torwart.Sub-CA", valid)
        for client in range(1, self.clients + 1):
            yield from self._triple(numbers, (client, None, None, f"GWA.{client}", "GWA"), "CN=Torwart.Sub-CA", valid)

    def _triple(self, numbers: Iterator[int], owner: Any, issuer: str, validity: Any, *, seal: bool = False) -> Rows:
        begin, end, state = validity
        for use in _USES:
            mark = _mark(f"certificate {next(numbers)}")
            serials = (mark[:16], mark[:40], mark)
            yield (*owner, use, 1, seal, issuer, *serials, begin, end, state, begin, self.der)

    def _validity(self, life: Life) -> tuple[datetime, datetime, str]:
        """Seals hold for seven years, operational sets for two and are renewed sixty days before their end, all but a
        few; whoever has left is revoked.
        """
        if life.commissioned is None:
            begin = life.delivered - timedelta(days=60)
            return begin, begin + timedelta(days=7 * 365), "active"
        if not life.ours:
            return life.commissioned, life.commissioned + timedelta(days=730), "revoked"
        late = self.random.random() < 0.003
        age = self.random.uniform(671, 733) if late else self.random.uniform(0, 670)
        begin = max(life.commissioned, self.now - timedelta(days=age))
        return begin, begin + timedelta(days=730), "active"

    # --- what was done ------------------------------------------------------------------------------------------------

    def _orders(self) -> None:
        for life in self.fleet:
            for at, verb, before, after in life.moves():
                payload = f'{{"from":"{before}","to":"{after}"}}'
                self.entries.append(
                    (at, "run:p03", f"gateway.{verb}", f"gateway:{life.device}", payload, life.client + 1)
                )
        write_orders(
            self.cases, copy=self._copy, entries=self.entries, staff=self.staff, now=self.now, random=self.random
        )

    def _events(self) -> None:
        """Every gateway whose order has failed has complained, and some others; a little is normal."""
        failed = {case.life.number for case in self.cases if case.state is OrderState.FAILED}
        self._copy(
            models.Event,
            "gateway_id number at level vendor event text log record_number success parameters fact",
            (
                (life.number + 1, 1, at, *said, "system", 1, False, "[]", uuid.UUID(int=life.number))
                for life in self.fleet
                if life.commissioned is not None
                for at in (self.now - timedelta(minutes=self.random.randrange(5, 60 * 1440)),)
                for said in (_ERROR if life.number in failed else _INFO,)
                if life.number in failed or self.random.random() < 0.05
            ),
        )

    def _trail(self) -> None:
        """The audit trail in the order of time, every entry in its place of the chain."""
        self.entries.sort()
        rows = enumerate(self.entries, start=1)
        self._copy(models.AuditEntry, "id at actor action subject payload client_id", ((n, *row) for n, row in rows))
        self._copy(models.AuditLink, "seq entry_id previous hash", _linked(self.entries))


_ERROR = ("ERROR", "PPC", 4711, "Verbindung zum Zähler verloren")
_INFO = ("INFO", "PPC", 17, "Uhr gestellt")


def _linked(entries: Iterable[Entry]) -> Rows:
    """What ``rules.audit_chain.link`` makes of them, for entries whose payload is canonical JSON already and whose
    texts need no escapes; some ten times faster.
    """
    previous = GENESIS
    for seq, (at, actor, action, subject, payload, client) in enumerate(entries, start=1):
        when = at.isoformat(timespec="microseconds")
        entry = (
            f'{{"action":"{action}","actor":"{actor}","at":"{when}","client":{client},"payload":{payload},'
            f'"subject":"{subject}"}}'
        )
        text = f'{{"entry":{entry},"previous":"{previous.hex()}","seq":{seq}}}'
        following = sha256(text.encode()).digest()
        yield seq, seq, previous, following
        previous = following


def _name(client: int) -> str:
    return f"Stadtwerke {client:03d}"


def _mark(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _staff() -> list[Role]:
    return [Role.OPERATOR] * 16 + [Role.APPROVER] * 4 + [Role.AUDITOR] * 2 + [Role.ADMINISTRATOR] * 2


def _certificate(now: datetime) -> bytes:
    """A real certificate, of the size they have; it stands for all of them, for nobody reads them here."""
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "EPPC0200000000.SMGW")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(730))
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

"""What an order about a contact does (P39): found by mail address, changed, its certificate stored and proven."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from torwart.kernel.contact_state import SECURE
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.contact import CONTACT_ADDRESS_TAKEN, CONTACT_TOO_FEW, CONTACT_UNKNOWN
from torwart.services import client as clients
from torwart.services import contact as contacts
from torwart.store.models import Contact, ContactCertificate

_DETAILS = ("first_name", "name", "phone", "email")


def people(client: int) -> list[tuple[str, str]]:
    """Mail address and name of the client's active contacts."""
    rows = Contact.objects.filter(client=client, active=True).order_by("name", "first_name")
    return [(row.email, f"{row.full_name} ({row.email})") for row in rows]


def unmet(client: int, values: Mapping[str, Any], now: datetime) -> list[Refusal]:
    """What stands against the change before it is ordered."""
    active = {row.email.lower(): row for row in Contact.objects.filter(client=client, active=True)}
    named = active.get(values["contact"])
    refusals: list[Refusal] = []
    if values["action"] != "add" and named is None:
        refusals.append(CONTACT_UNKNOWN())
    if values["action"] in ("add", "change") and values["email"] in active and active[values["email"]] is not named:
        refusals.append(CONTACT_ADDRESS_TAKEN(email=values["email"]))
    if values["action"] == "deactivate" and named is not None and len(active) <= clients.NEEDED:
        refusals.append(CONTACT_TOO_FEW(name=named.full_name))
    return refusals


def apply(client: int, values: Mapping[str, Any], *, actor: str, now: datetime) -> dict[str, Any]:
    """Do the change; id and name of the contact. Takes part in the caller's transaction."""
    if values["action"] == "add":
        details = {name: values[name] for name in _DETAILS}
        pk = contacts.add(client, **details, actor=actor, now=now)
    else:
        pk = _named(client, values["contact"])
        details = {name: values[name] for name in _DETAILS if values[name]}
        if values["action"] == "change":
            contacts.change(pk, client=client, actor=actor, now=now, **details)
        elif values["action"] == "deactivate":
            contacts.deactivate(pk, client=client, actor=actor, now=now)
    row = Contact.objects.get(pk=pk)
    return {"id": row.pk, "name": f"{row.full_name} ({row.email})"}


def store(client: int, contact: int, pem: str, *, actor: str, now: datetime) -> list[str]:
    """Store the certificates and send their test mails; fingerprints of those that are to be proven."""
    new = contacts.store_certificate(contact, pem.encode(), client=client, actor=actor, now=now)
    rows = ContactCertificate.objects.filter(contact=contact)
    if new:
        return list(rows.filter(pk__in=new).values_list("fingerprint", flat=True))
    contacts.send_test(contact, client=client, actor=actor, now=now)
    waiting = [state.value for state in SECURE]
    return list(rows.exclude(state__in=waiting).values_list("fingerprint", flat=True))


def tested_at(contact: int, fingerprints: Sequence[str]) -> str | None:
    """When the last of these certificates passed its test, once all have."""
    secure = [state.value for state in SECURE]
    rows = ContactCertificate.objects.filter(contact=contact, fingerprint__in=fingerprints)
    times = [row.tested_at for row in rows if row.state in secure and row.tested_at is not None]
    return max(times).isoformat() if times and len(times) == len(fingerprints) else None


def _named(client: int, email: str) -> int:
    row = Contact.objects.filter(client=client, active=True, email__iexact=email).values_list("pk", flat=True).first()
    if row is None:
        raise CONTACT_UNKNOWN()
    return row

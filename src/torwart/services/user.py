"""Accounts: invited, never self-made; the person alone knows the password; locked in one stroke when it is known (P-4).
The two mails of an invitation are written by ``services.invitation``.

Links that lead to choosing a password are signed, not stored. What is signed includes the password's hash, so a link
dies with its first use, with a newer link and with any other change of the password. Signing needs the web's settings
(``SECRET_KEY``): whoever invites runs with ``django_setup(web=True)``.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

from torwart.kernel.refusals.account import (
    ACCOUNT_ADDRESS_REFUSED,
    ACCOUNT_EXISTS,
    ACCOUNT_LINK_SPENT,
    ACCOUNT_LOCKED,
    ACCOUNT_OWN,
    ACCOUNT_ROLES,
    ACCOUNT_UNKNOWN,
)
from torwart.kernel.role import CLIENT, PROVIDER, Role
from torwart.services import audit, outbox
from torwart.services.letter import account as letters
from torwart.services.sealed import seal
from torwart.store.models import User

INVITATION_HOURS = 72
RESET_HOURS = 1
REPORT_PATH = "/konto/zugangsdaten-melden/"
_INVITE, _RESET = "invitation", "reset"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the separate mail carries: ``path`` of the one-time link below the site's address, and until when it works.

    The mail with the user data (S/MIME) and the mail with the link are two (P-4): never put both into one.
    """

    user: int
    email: str
    language: str
    path: str
    until: datetime


def invite(
    *,
    email: str,
    name: str,
    first_name: str,
    roles: Collection[Role],
    client: int | None,
    actor: str,
    at: datetime,
    phone: str = "",
    language: str = "de",
) -> Invitation:
    """Make an account nobody can use yet and the link by which its person chooses a password.

    ``client`` is ``None`` for the provider's people. An address that has an account is refused: as
    ``account.exists`` within the same client, without a reason otherwise (``account.address_refused``).
    """
    _require_one_side(roles, client)
    with transaction.atomic():
        _require_free(email, client)
        user = User(email=email, name=name, first_name=first_name, phone=phone, language=language, client_id=client)
        user.roles = sorted(role.value for role in roles)
        user.set_unusable_password()
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:
            raise ACCOUNT_ADDRESS_REFUSED(email=email) from None
        _audit(user, "user.invited", actor, at, {"roles": user.roles})
    return _invitation(user, at)


def invite_again(user: int, *, actor: str, at: datetime, client: int | None = None) -> Invitation:
    """A new link for somebody whose old one is spent or who was locked; older links and the password die.

    The account is unlocked by this: the person proves themselves through the mail.
    """
    with transaction.atomic():
        found = _locked(user, client)
        found.set_unusable_password()
        found.is_active, found.locked_reason = True, ""
        found.save(update_fields=["password", "is_active", "locked_reason"])
        _audit(found, "user.invited_again", actor, at)
    return _invitation(found, at)


def invited(person: int, token: str, at: datetime) -> User:
    """Whose invitation this is; a link that does not work (any more) is refused."""
    return _holder(person, token, _INVITE, INVITATION_HOURS, at)


def accept_invitation(person: int, token: str, password: str, *, at: datetime) -> User:
    """The person chooses the password; the link is spent."""
    return _choose(person, token, password, _INVITE, INVITATION_HOURS, at, "user.joined")


def request_reset(email: str, at: datetime) -> Invitation | None:
    """The link for somebody who forgot the password; ``None`` where no such person may sign in.

    The caller answers the same in both cases, in words and in time.
    """
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    return password_link(user, at) if user is not None and user.has_usable_password() else None


def password_link(user: User, at: datetime) -> Invitation:
    """The link by which this person chooses a password; asked for by themselves."""
    _audit(user, "user.reset_requested", actor(user), at)
    token = _token(user, _RESET, at)
    return Invitation(user.pk, user.email, user.language, reset_path(user.pk, token), at + timedelta(hours=RESET_HOURS))


def resetting(person: int, token: str, at: datetime) -> User:
    """Whose password link this is; a link that does not work (any more) is refused."""
    return _holder(person, token, _RESET, RESET_HOURS, at)


def reset(person: int, token: str, password: str, *, at: datetime) -> User:
    """The person chooses a new password; the link is spent, all sessions end, and a mail says so."""
    with transaction.atomic():
        found = _choose(person, token, password, _RESET, RESET_HOURS, at, "user.password_reset")
        _tell(found, letters.Change.PASSWORD, at)
    return found


def invitation_path(user: int, token: str) -> str:
    return f"/konto/einladung/{seal('user', user)}/{token}/"


def reset_path(user: int, token: str) -> str:
    return f"/konto/passwort-vergessen/{seal('user', user)}/{token}/"


def set_roles(user: int, roles: Collection[Role], *, actor: str, at: datetime, client: int | None = None) -> None:
    """Give an account other roles of its side."""
    with transaction.atomic():
        found = _locked(user, client)
        _require_other(found, actor)
        _require_one_side(roles, found.client_id)
        before, found.roles = found.roles, sorted(role.value for role in roles)
        found.save(update_fields=["roles"])
        _audit(found, "user.roles_changed", actor, at, {"before": before, "after": found.roles})


def lock(user: int, reason: str, *, actor: str, at: datetime, client: int | None = None) -> None:
    """Lock an account for ``reason``: its sessions end at once; ``invite_again`` opens it."""
    with transaction.atomic():
        found = _locked(user, client)
        _require_other(found, actor)
        _lock(found, reason)
        _audit(found, "user.locked", actor, at, {"reason": reason})


def report_compromised(user: int, *, address: str, at: datetime, open_incident: Callable[[User], object]) -> None:
    """The person says that others know the credentials: sessions end, the account is locked, the provider gets a
    ticket from ``open_incident``, all in one transaction.
    """
    with transaction.atomic():
        found = _locked(user, None)
        _lock(found, "compromised")
        _audit(found, "user.compromised", actor(found), at, {"address": address})
        open_incident(found)


def actor(user: User) -> str:
    """How services and the audit trail name this person when they act: ``user:anna@…``."""
    return f"user:{user.email}"


def set_language(user: int, language: str) -> None:
    """Remember in which language the person reads."""
    User.objects.filter(pk=user).update(language=language)


def password_changed(user: int, *, at: datetime) -> None:
    """The person has changed the password, proving the old one; a mail says so."""
    with transaction.atomic():
        found = User.objects.get(pk=user)
        _audit(found, "user.password_changed", actor(found), at)
        _tell(found, letters.Change.PASSWORD, at)


def second_factor_changed(user: int, what: str, kind: str, *, at: datetime) -> None:
    """The person has ``added`` or ``removed`` an app (``totp``) or passkey (``webauthn``), or ``reset`` the emergency
    codes (``recovery_codes``); a mail says so. Codes that come and go with the first and last of them have none.
    """
    with transaction.atomic():
        found = User.objects.get(pk=user)
        _audit(found, f"user.second_factor_{what}", actor(found), at, {"kind": kind})
        change = letters.SECOND_FACTOR.get((kind, what))
        if change is not None:
            _tell(found, change, at)


def second_factor_forgotten(user: int, kinds: Collection[str], *, by: str, at: datetime) -> None:
    """All second factors of a person were removed by somebody else; one mail says so."""
    with transaction.atomic():
        found = User.objects.get(pk=user)
        for kind in kinds:
            _audit(found, "user.second_factor_forgotten", by, at, {"kind": kind})
        if kinds:
            _tell(found, letters.Change.FORGOTTEN, at)


def _tell(user: User, change: letters.Change, at: datetime) -> None:
    """The mail by which a person notices what somebody else has done to the account."""
    url = outbox.portal_url(REPORT_PATH)
    outbox.enqueue(
        lambda language: letters.changed(language, change=change, at=at, url=url),
        kind="account.changed",
        secure=False,
        now=at,
        address=user.email,
        language=user.language,
        client=user.client_id,
    )


def refused_outside(user: int, *, address: str, path: str, at: datetime) -> None:
    """Somebody with a provider's account came from outside the provider's networks and was refused (P-5)."""
    found = User.objects.get(pk=user)
    _audit(found, "user.refused_outside_site", actor(found), at, {"address": address, "path": path})


def _require_one_side(roles: Collection[Role], client: int | None) -> None:
    side = PROVIDER if client is None else CLIENT
    if not roles or not set(roles) <= side:
        raise ACCOUNT_ROLES(roles=", ".join(sorted(role.value for role in roles)) or "–")


def _require_other(user: User, by: str) -> None:
    """Rights and locks are never a matter of one person alone."""
    if by == actor(user):
        raise ACCOUNT_OWN()


def _require_free(email: str, client: int | None) -> None:
    found = User.objects.filter(email__iexact=email).only("client_id").first()
    if found is None:
        return
    if found.client_id == client:
        raise ACCOUNT_EXISTS(email=email)
    raise ACCOUNT_ADDRESS_REFUSED(email=email)


def _locked(user: int, client: int | None) -> User:
    """The account, held for change; with ``client`` one of another client does not exist (P-1)."""
    found = User.objects.select_for_update().filter(pk=user)
    if client is not None:
        found = found.filter(client=client)
    account = found.first()
    if account is None:
        raise ACCOUNT_UNKNOWN()
    return account


def _lock(user: User, reason: str) -> None:
    """Sessions carry a hash made of the password's: without a password none of them is valid any more."""
    user.set_unusable_password()
    user.is_active, user.locked_reason = False, reason
    user.save(update_fields=["password", "is_active", "locked_reason"])


def _invitation(user: User, at: datetime) -> Invitation:
    path = invitation_path(user.pk, _token(user, _INVITE, at))
    return Invitation(user.pk, user.email, user.language, path, at + timedelta(hours=INVITATION_HOURS))


def _holder(person: int, token: str, purpose: str, hours: int, at: datetime) -> User:
    try:
        made = base36_to_int(token.partition("-")[0])
    except ValueError:
        raise ACCOUNT_LINK_SPENT() from None
    user = User.objects.filter(pk=person).first()
    if user is None or not constant_time_compare(token, _signed(user, purpose, made)):
        raise ACCOUNT_LINK_SPENT()
    if not 0 <= at.timestamp() - made <= hours * 3600:
        raise ACCOUNT_LINK_SPENT()
    if not user.is_active:
        raise ACCOUNT_LOCKED()
    return user


def _choose(person: int, token: str, password: str, purpose: str, hours: int, at: datetime, action: str) -> User:
    with transaction.atomic():
        _locked(_holder(person, token, purpose, hours, at).pk, None)
        user = _holder(person, token, purpose, hours, at)  # once more, now that nobody else can spend the link
        user.set_password(password)
        user.save(update_fields=["password"])
        _audit(user, action, actor(user), at)
    return user


def _token(user: User, purpose: str, at: datetime) -> str:
    return _signed(user, purpose, int(at.timestamp()))


def _signed(user: User, purpose: str, made: int) -> str:
    text = f"{user.pk}|{user.email}|{user.password}|{made}"
    return f"{int_to_base36(made)}-{salted_hmac(f'torwart.{purpose}', text, algorithm='sha256').hexdigest()}"


def _audit(user: User, action: str, actor: str, at: datetime, payload: dict[str, object] | None = None) -> None:
    audit.append(actor=actor, action=action, subject=f"user:{user.pk}", payload=payload, client=user.client_id, at=at)

"""Accounts: who may be invited, what a link is worth, how an account is closed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.kernel.role import CLIENT, PROVIDER, Role
from torwart.rules.lead_time import spoken
from torwart.services import outbox
from torwart.services import user as users
from torwart.services.letter.account import SECOND_FACTOR, Change
from torwart.services.sealed import opened
from torwart.services.user import Invitation
from torwart.store.models import AuditEntry, Client, MailOut, User

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
PASSWORD = "Der Ball ist rund und 90 Minuten"

pytestmark = pytest.mark.usefixtures("db")


def invite(email: str = "anna@stadtwerk.example", client: int | None = None, *roles: Role) -> Invitation:
    return users.invite(
        email=email,
        name="Berg",
        first_name="Anna",
        roles=roles or ([Role.CONTACT] if client else [Role.OPERATOR]),
        client=client,
        actor="user:admin@torwart.example",
        at=NOW,
    )


def link(invitation: Invitation) -> tuple[int, str]:
    """Whose link it is, and its token."""
    person, token = invitation.path.strip("/").split("/")[-2:]
    return opened("user", person) or 0, token


def refusal(call: object, *arguments: object, **named: object) -> str:
    with pytest.raises(Refusal) as caught:
        call(*arguments, **named)  # type: ignore[operator]
    return caught.value.code


@pytest.fixture
def client() -> int:
    return Client.objects.create(name="Stadtwerk A").pk


@pytest.mark.requirement("P-4")
def test_the_person_alone_chooses_the_password_and_the_link_is_spent() -> None:
    """Before the link is used nobody can sign in; after it has been used it opens nothing any more."""
    invitation = invite()
    person, token = link(invitation)
    assert not get_user_model().objects.get(pk=invitation.user).has_usable_password()
    assert users.invited(person, token, NOW).email == "anna@stadtwerk.example"
    users.accept_invitation(person, token, PASSWORD, at=NOW)
    assert User.objects.get(pk=invitation.user).check_password(PASSWORD)
    assert refusal(users.accept_invitation, person, token, "another one entirely", at=NOW) == "account.link_spent"
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["user.invited", "user.joined"]


@pytest.mark.requirement("P-4")
def test_a_link_works_for_72_hours() -> None:
    """To the second."""
    person, token = link(invite())
    assert users.invited(person, token, NOW + timedelta(hours=72)).pk
    assert refusal(users.invited, person, token, NOW + timedelta(hours=72, seconds=1)) == "account.link_spent"
    assert refusal(users.invited, person, token, NOW - timedelta(seconds=1)) == "account.link_spent"


@pytest.mark.requirement("P-4")
def test_a_newer_link_kills_the_older() -> None:
    """Of several invitations only the last one opens the account."""
    first = invite()
    second = users.invite_again(first.user, actor="user:admin@torwart.example", at=NOW)
    assert refusal(users.invited, *link(first), NOW) == "account.link_spent"
    assert users.invited(*link(second), NOW).pk == first.user


@pytest.mark.requirement("P-4")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_other_text_opens_a_link(data: st.DataObject) -> None:
    """Cut, changed or foreign links are refused and nothing else happens."""
    if not User.objects.exists():
        invite()
    invitation = users.invite_again(User.objects.get().pk, actor="a", at=NOW)
    person, token = link(invitation)
    text = st.text(alphabet="0123456789abcdefghijklmnopqrstuvwxyz-+ä\0", max_size=90)
    other = data.draw(st.one_of(text, st.integers(0, len(token) - 1).map(lambda n: token[:n])))
    about = data.draw(st.sampled_from([person, 0, -1, person + 1, 2**63 - 1, 2**64 - 1]))
    if (about, other) != (person, token):
        assert refusal(users.invited, about, other, NOW) == "account.link_spent"


@pytest.mark.requirement("P-4")
def test_a_link_for_one_purpose_serves_no_other(client: int) -> None:
    """A link to reset a password is no invitation, and none is a link of another account."""
    invitation = invite(client=client)
    users.accept_invitation(*link(invitation), PASSWORD, at=NOW)
    other = invite("bert@stadtwerk.example", client)
    wanted = users.request_reset("ANNA@stadtwerk.example", NOW)
    assert wanted is not None
    assert refusal(users.invited, *link(wanted), NOW) == "account.link_spent"
    assert refusal(users.resetting, link(other)[0], link(wanted)[1], NOW) == "account.link_spent"
    assert refusal(users.resetting, *link(wanted), NOW + timedelta(hours=1, seconds=1)) == "account.link_spent"
    users.reset(*link(wanted), "Nach dem Spiel ist vor dem Spiel", at=NOW)
    assert refusal(users.resetting, *link(wanted), NOW) == "account.link_spent"


@pytest.mark.requirement("P-4")
@pytest.mark.parametrize("state", ["unknown", "locked", "not joined"])
def test_nobody_gets_a_reset_link_who_may_not_sign_in(state: str, client: int) -> None:
    """Unknown, locked and not yet joined people get none; the caller says the same to all."""
    if state != "unknown":
        invitation = invite(client=client)
        if state == "locked":
            users.accept_invitation(*link(invitation), PASSWORD, at=NOW)
            users.lock(invitation.user, "left", actor="user:x@y.example", at=NOW)
    assert users.request_reset("anna@stadtwerk.example", NOW) is None


@pytest.mark.requirement("P-1")
def test_an_address_of_another_client_is_refused_without_a_reason(client: int) -> None:
    """Only within the own client one learns that somebody has an account."""
    other = Client.objects.create(name="Stadtwerk B").pk
    invite("Anna@stadtwerk.example", client)
    assert refusal(invite, "anna@STADTWERK.example", client) == "account.exists"
    assert refusal(invite, "anna@stadtwerk.example", other) == "account.address_refused"
    assert refusal(invite, "anna@stadtwerk.example", None) == "account.address_refused"


@pytest.mark.requirement("P-2")
def test_roles_are_of_one_side(client: int) -> None:
    """A client's person cannot get a provider's role nor the other way round, and nobody is without a role."""
    assert {refusal(invite, "a@b.example", client, role) for role in PROVIDER} == {"account.roles"}
    assert {refusal(invite, "a@b.example", None, role) for role in CLIENT} == {"account.roles"}
    person = invite("a@b.example", client).user
    for roles in ([], [Role.READER, Role.OPERATOR]):
        assert refusal(users.set_roles, person, roles, actor="x", at=NOW) == "account.roles"
    users.set_roles(person, [Role.READER], actor="user:chef@b.example", at=NOW)
    assert User.objects.get(pk=person).roles == ["reader"]


@pytest.mark.requirement("P-2")
def test_nobody_changes_their_own_rights(client: int) -> None:
    """Neither roles nor the lock of the own account."""
    person = User.objects.get(pk=invite(client=client).user)
    own = users.actor(person)
    assert refusal(users.set_roles, person.pk, [Role.READER], actor=own, at=NOW) == "account.own"
    assert refusal(users.lock, person.pk, "x", actor=own, at=NOW) == "account.own"


@pytest.mark.requirement("P-1")
def test_a_person_of_another_client_does_not_exist(client: int) -> None:
    """Every verb scoped to a client answers for a foreign person as for nobody."""
    other = Client.objects.create(name="Stadtwerk B").pk
    person = invite(client=client).user
    for verb in (
        lambda who: users.lock(who, "x", actor="y", at=NOW, client=other),
        lambda who: users.set_roles(who, [Role.READER], actor="y", at=NOW, client=other),
        lambda who: users.invite_again(who, actor="y", at=NOW, client=other),
    ):
        assert refusal(verb, person) == refusal(verb, 10**9) == "account.unknown"


@pytest.mark.requirement("P-4")
def test_a_locked_account_has_no_session_and_no_password(client: int) -> None:
    """The hash that sessions carry changes, so all of them end; a fresh invitation opens the account again."""
    invitation = invite(client=client)
    users.accept_invitation(*link(invitation), PASSWORD, at=NOW)
    before = User.objects.get(pk=invitation.user).get_session_auth_hash()
    opened: list[str] = []
    users.report_compromised(
        invitation.user, address="192.0.2.7", at=NOW, open_incident=lambda u: opened.append(u.email)
    )
    locked = User.objects.get(pk=invitation.user)
    assert (locked.is_active, locked.locked_reason, locked.has_usable_password()) == (False, "compromised", False)
    assert locked.get_session_auth_hash() != before
    assert opened == ["anna@stadtwerk.example"]
    entry = AuditEntry.objects.get(action="user.compromised")
    assert (entry.client_id, entry.payload) == (client, {"address": "192.0.2.7"})
    again = users.invite_again(invitation.user, actor="user:admin@torwart.example", at=NOW)
    users.accept_invitation(*link(again), "Das naechste Spiel ist immer das schwerste", at=NOW)
    assert User.objects.get(pk=invitation.user).is_active


@pytest.mark.requirement("P-4")
def test_an_incident_that_cannot_be_opened_leaves_the_account_as_it_was(client: int) -> None:
    """Lock, audit entry and ticket are one transaction."""
    invitation = invite(client=client)
    users.accept_invitation(*link(invitation), PASSWORD, at=NOW)

    def broken(_: User) -> None:
        raise OSError("no ticket today")

    with pytest.raises(OSError, match="no ticket"):
        users.report_compromised(invitation.user, address="", at=NOW, open_incident=broken)
    assert User.objects.get(pk=invitation.user).is_active


@pytest.mark.requirement("P-4")
@pytest.mark.parametrize("language", ["de", "en"])
def test_each_change_of_what_opens_the_account_is_told_by_mail(client: int, language: str) -> None:
    """Password and second factor, in the person's language: what, when, and what to do if it was somebody else."""
    invitation = invite(client=client)
    users.accept_invitation(*link(invitation), PASSWORD, at=NOW)
    users.set_language(invitation.user, language)
    wanted = users.request_reset("anna@stadtwerk.example", NOW)
    assert wanted is not None
    users.reset(*link(wanted), "Nach dem Spiel ist vor dem Spiel", at=NOW)
    users.password_changed(invitation.user, at=NOW)
    for kind, what in SECOND_FACTOR:
        users.second_factor_changed(invitation.user, what, kind, at=NOW)
    users.second_factor_changed(invitation.user, "added", "recovery_codes", at=NOW)
    users.second_factor_forgotten(invitation.user, ["totp", "webauthn"], by="user:admin@torwart.example", at=NOW)

    mails = list(MailOut.objects.order_by("id"))
    said = [Change.PASSWORD, Change.PASSWORD, *SECOND_FACTOR.values(), Change.FORGOTTEN]
    assert [mail.subject.partition(": ")[2] for mail in mails] == [each.value.text(language) for each in said]
    for mail in mails:
        assert (mail.address, mail.kind, mail.secure) == ("anna@stadtwerk.example", "account.changed", False)
        assert mail.client_id == client
        assert mail.language == language
        assert "/konto/zugangsdaten-melden/" in mail.text
        text = " ".join(mail.text.split())
        assert spoken(NOW) in text
        assert ("gesperrt" if language == "de" else "is locked") in text
        assert not [secret for secret in ("Spiel", PASSWORD, "Berg", "Stadtwerk A") if secret in mail.text]


@pytest.mark.requirement("P-4")
def test_no_change_without_its_mail(client: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail that cannot be written takes the change of the password with it."""
    invitation = invite(client=client)
    users.accept_invitation(*link(invitation), PASSWORD, at=NOW)
    wanted = users.request_reset("anna@stadtwerk.example", NOW)
    assert wanted is not None

    def broken(*_: object, **__: object) -> int:
        raise OSError("no mail today")

    monkeypatch.setattr(outbox, "enqueue", broken)
    with pytest.raises(OSError, match="no mail"):
        users.reset(*link(wanted), "Nach dem Spiel ist vor dem Spiel", at=NOW)
    assert User.objects.get(pk=invitation.user).check_password(PASSWORD)

"""``torwart invite``: make an account and print the link by which its person chooses a password.

For the first administrator of an installation, and for whoever cannot get in any more (``--again``).
"""

import click

from torwart.kernel.role import CLIENT, PROVIDER, ROLES, Role
from torwart.kernel.words import Words

_TEXT = {
    "help": Words(
        "Ein Konto anlegen und den Link ausgeben, mit dem die Person ihr Passwort wählt. Geben Sie ihn nur ihr.\n\n"
        "Rollen des Anbieters: {provider}. Rollen eines Auftraggebers (--client): {client}.",
        "Make an account and print the link by which its person chooses a password. Give it to nobody else.\n\n"
        "Roles of the provider: {provider}. Roles of a client (--client): {client}.",
    ),
    "name": Words("Familienname", "family name"),
    "first": Words("Vorname", "first name"),
    "role": Words("Rolle; mehrmals für mehrere", "role; several times for several"),
    "client": Words(
        "Name des Auftraggebers; ohne ihn ein Konto des Anbieters", "client's name; without it a provider's"
    ),
    "again": Words(
        "neuer Link für ein vorhandenes Konto; das alte Passwort gilt nicht mehr",
        "new link for an existing account; its old password ends",
    ),
    "factor": Words(
        "mit --again: auch den zweiten Faktor vergessen, falls das Gerät verloren ist",
        "with --again: forget the second factor too, in case the device is lost",
    ),
    "link": Words("Gilt einmal, bis {until}:", "Works once, until {until}:"),
    "no_client": Words("Diesen Auftraggeber gibt es nicht: {name}", "There is no such client: {name}"),
    "no_user": Words("Dieses Konto gibt es nicht: {name}", "There is no such account: {name}"),
}
_SIDES = {
    side: ", ".join(sorted(role.value for role in roles))
    for side, roles in (("provider", PROVIDER), ("client", CLIENT))
}


@click.command(help=_TEXT["help"].text(**_SIDES))
@click.argument("email")
@click.option("--name", default="", help=_TEXT["name"].text())
@click.option("--first-name", default="", help=_TEXT["first"].text())
@click.option(
    "--role", "roles", multiple=True, type=click.Choice([role.value for role in ROLES]), help=_TEXT["role"].text()
)
@click.option("--client", "client_name", default="", help=_TEXT["client"].text())
@click.option("--again", is_flag=True, help=_TEXT["again"].text())
@click.option("--new-factor", is_flag=True, help=_TEXT["factor"].text())
def command(
    email: str, name: str, first_name: str, roles: tuple[str, ...], client_name: str, again: bool, new_factor: bool
) -> None:
    """Invite one person."""
    from torwart.config.installation import installed

    with installed(web=True):
        from torwart.faces.account import second_factor
        from torwart.services import outbox, present
        from torwart.services import user as users
        from torwart.store.models import Client, User

        now = present.now()
        if again:
            found = User.objects.filter(email__iexact=email).first()
            if found is None:
                raise click.UsageError(_TEXT["no_user"].text(name=email))
            if new_factor or not found.is_active:
                second_factor.forget(found.pk, actor="command line", at=now)
            invitation = users.invite_again(found.pk, actor="command line", at=now)
        else:
            client = Client.objects.filter(name=client_name).first() if client_name else None
            if client_name and client is None:
                raise click.UsageError(_TEXT["no_client"].text(name=client_name))
            invitation = users.invite(
                email=email,
                name=name or email.partition("@")[0],
                first_name=first_name,
                roles=[Role(role) for role in roles],
                client=client.pk if client else None,
                actor="command line",
                at=now,
            )
        click.echo(_TEXT["link"].text(until=f"{invitation.until.astimezone():%d.%m.%Y %H:%M}"))
        click.echo(outbox.portal_url(invitation.path))

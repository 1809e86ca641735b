"""``torwart credentials``: name and secret by which a system of the test environment gets access tokens."""

import click

from torwart.kernel.words import Words

_HELP = Words(
    de="Name und Geheimnis ausgeben, mit denen das gekoppelte System NAME (CN seines Zertifikats) in der Testumgebung "
    "Zugriffstoken holt (OAuth 2.0, client credentials). Nur mit TORWART_API_OAUTH=1 nimmt die Schnittstelle sie an.",
    en="Print name and secret by which the coupled system NAME (CN of its certificate) gets access tokens in the test "
    "environment (OAuth 2.0, client credentials). The interface takes them with TORWART_API_OAUTH=1 only.",
)
_LIVE = Words("Das gibt es nur in der Testumgebung.", "There is no such thing outside the test environment.")


@click.command(help=_HELP.text())
@click.argument("name")
def command(name: str) -> None:
    """Two lines: client_id and client_secret."""
    import os

    from torwart.config.installation import secret
    from torwart.wire.access_token import client_secret

    if os.environ.get("TORWART_ENVIRONMENT", "test") != "test":
        raise click.UsageError(_LIVE.text())
    click.echo(f"client_id={name}\nclient_secret={client_secret(secret('api'), name)}")

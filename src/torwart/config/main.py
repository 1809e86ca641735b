"""The command line: ``torwart COMMAND``; each command is a module of ``config.commands``, loaded when it is called."""

import importlib
import sys
from pathlib import Path

import click

from torwart import __version__
from torwart.kernel.refusals import Refusal, Side
from torwart.kernel.words import Words

EXIT_REFUSED = 3
EXIT_OURS = 4

_HELP = Words(
    de="Torwart: Administration von Smart-Meter-Gateways als Dienst.",
    en="Torwart: administration of smart meter gateways as a service.",
)


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        here = Path(__file__).parent / "commands"
        return sorted(p.stem.replace("_", "-") for p in here.glob("*.py") if not p.stem.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"torwart.config.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=_Commands, help=_HELP.text(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="torwart")
def cli() -> None:
    """Group of all commands."""


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 a check found something, 2 usage, 3 refused (text on stderr), 4 our fault."""
    try:
        cli()
    except Refusal as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(EXIT_OURS if refusal.side is Side.OURS else EXIT_REFUSED)

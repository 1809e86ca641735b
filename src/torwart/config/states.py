"""``python -m torwart.config.states``: the state tables as a page of Mermaid diagrams (docs/states.md)."""

from torwart.kernel.client_state import CLIENT
from torwart.kernel.contact_state import CONTACT_MAIL
from torwart.kernel.gateway_state import GATEWAY
from torwart.kernel.order_state import ORDER
from torwart.kernel.run_state import RUN
from torwart.kernel.ticket_state import TICKET
from torwart.kernel.words import Words

_HEAD = """# States

Written by `python -m torwart.config.states` from the tables in `kernel/*_state.py`;
a test compares. Change the tables, not this page.
"""
_PAGES = (
    (ORDER, Words("Ein Auftrag", "An order")),
    (TICKET, Words("Ein Vorgang", "A ticket")),
    (RUN, Words("Eine Prozessausführung", "A run of a process")),
    (GATEWAY, Words("Ein Gateway, wie wir es administrieren", "A gateway as we administer it")),
    (CLIENT, Words("Ein Auftraggeber", "A client")),
    (CONTACT_MAIL, Words("Gesicherte Mail mit einem Ansprechpartner", "Secure mail with a contact")),
)


def page() -> str:
    """The whole page, each diagram in English and German."""
    parts = [_HEAD]
    for table, title in _PAGES:
        parts.append(f"## {title.en} · {title.de}\n")
        parts += [f"```mermaid\n{table.mermaid(language)}```\n" for language in ("en", "de")]
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(), end="")

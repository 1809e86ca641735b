"""The console as a Django app: pages, static files, its part of the main navigation."""

from django.apps import AppConfig

from torwart.faces._design.language import t
from torwart.faces._design.navigation import Entry, register
from torwart.kernel.role import PROVIDER, Role


class Console(AppConfig):
    name = "torwart.faces.console"
    label = "console"

    def ready(self) -> None:
        register(
            "console",
            Entry(t("Vorgänge", "Tickets"), "console:start", "inbox", PROVIDER),
            Entry(t("Freigaben", "Approvals"), "console:approvals", "clipboard-check", PROVIDER),
            Entry(t("Gateways", "Gateways"), "console:gateways", "router", PROVIDER),
            Entry(t("Auftraggeber", "Clients"), "console:clients", "building", PROVIDER),
            Entry(t("Gerätetypen", "Device types"), "console:configurations", "shield-check", PROVIDER),
            Entry(t("Post", "Mail"), "console:mail", "mail", PROVIDER),
            Entry(t("Prüfpfad", "Audit trail"), "console:audit", "fingerprint", frozenset({Role.AUDITOR})),
        )

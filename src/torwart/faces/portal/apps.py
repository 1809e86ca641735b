"""The portal as a Django app: templates, pages, its part of the main navigation."""

from django.apps import AppConfig

from torwart.faces._design import navigation
from torwart.faces._design.language import t
from torwart.kernel.role import CLIENT, Role


class Portal(AppConfig):
    name = "torwart.faces.portal"
    label = "portal"

    def ready(self) -> None:
        entry = navigation.Entry
        navigation.register(
            "portal",
            entry(t("Übersicht", "Overview"), "portal:start", "home", CLIENT),
            entry(t("Beauftragen", "Order"), "portal:order_choose", "plus", frozenset({Role.CONTACT})),
            entry(t("Aufträge", "Orders"), "portal:orders", "clipboard-list", CLIENT),
            entry(t("Vorgänge", "Tickets"), "portal:tickets", "message-circle", CLIENT),
            entry(t("Geräte", "Devices"), "portal:devices", "router", CLIENT),
            entry(t("Ansprechpartner", "Contacts"), "portal:contacts", "users", CLIENT),
            entry(t("Schnittstelle", "Interface"), "portal:interface", "plug", CLIENT),
        )

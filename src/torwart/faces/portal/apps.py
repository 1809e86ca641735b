"""The portal as a Django app: templates, pages, its part of the main navigation."""

from django.apps import AppConfig

from torwart.faces._design import navigation
from torwart.faces._design.language import t
from torwart.kernel.role import CLIENT


class Portal(AppConfig):
    name = "torwart.faces.portal"
    label = "portal"

    def ready(self) -> None:
        entry = navigation.Entry
        navigation.register(
            "portal",
            entry(t("Übersicht", "Overview"), "portal:start", "home", CLIENT),
            entry(t("Aufträge", "Orders"), "portal:orders", "clipboard-list", CLIENT),
            entry(t("Vorgänge", "Tickets"), "portal:tickets", "message-circle", CLIENT),
            entry(t("Geräte", "Devices"), "portal:devices", "router", CLIENT),
            entry(t("Lieferscheine", "Delivery notes"), "portal:delivery_notes", "file-text", CLIENT),
            entry(t("Freigaben", "Approved types"), "portal:configurations", "shield-check", CLIENT),
            entry(t("Ansprechpartner", "Contacts"), "portal:contacts", "users", CLIENT),
        )

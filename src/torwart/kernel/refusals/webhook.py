"""Refusals of webhooks (spec/07 point 5)."""

from torwart.kernel.refusals import Retry, Side, kind

WEBHOOK_URL = kind(
    "webhook.url",
    de="„{url}“ geht nicht als Ziel. Nennen Sie eine https-Adresse ohne Benutzer und ohne #.",
    en="“{url}” cannot be a target. Name an https address without user and without #.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 5",
)
WEBHOOK_ADDRESS = kind(
    "webhook.address",
    de="„{host}“ ist keine Adresse, an die wir zustellen: sie liegt in keinem öffentlichen Netz oder ist unbekannt.",
    en="“{host}” is no address we deliver to: it lies in no public network, or is unknown.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 5 (SSRF)",
)
WEBHOOK_UNKNOWN = kind(
    "webhook.unknown",
    de="Diesen Webhook oder diese Zustellung gibt es nicht.",
    en="There is no such webhook or delivery.",
    side=Side.CLIENT,
    source="P-1",
)
WEBHOOK_TOO_MANY = kind(
    "webhook.too_many",
    de="Mehr als {limit} Webhooks je Auftraggeber gehen nicht. Löschen Sie zuerst einen.",
    en="A client cannot have more than {limit} webhooks. Delete one first.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
WEBHOOK_UNREACHABLE = kind(
    "webhook.unreachable",
    de="Das Ziel {host} war nicht zu erreichen: {why}.",
    en="The target {host} could not be reached: {why}.",
    side=Side.NETWORK,
    retry=Retry.LATER,
)

"""Refusals of the EMT–GWA interface (spec: EMT API)."""

from torwart.kernel.refusals import Retry, Side, kind

PEER_UNPROVEN = kind(
    "interface.peer_unproven",
    de="Diese Schnittstelle antwortet nur auf Verbindungen mit gegenseitigem TLS und einem EMT-Zertifikat der SM-PKI.",
    en="This interface answers only over mutual TLS with an EMT certificate of the SM-PKI.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 6",
)

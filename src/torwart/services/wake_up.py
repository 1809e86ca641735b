"""Wake-ups: the one packet that reaches a silent gateway, signed with the client's GWA key (spec/04 §1.5)."""

from datetime import datetime
from typing import Any

from torwart.kernel.identifiers import DeviceId
from torwart.ports.gateway_link import GatewayLink
from torwart.ports.key_store import KeyStore
from torwart.rules.wake_up import WakeUpLimit
from torwart.services import administrator, transcript
from torwart.services import gateway as gateways
from torwart.store.models import Exchange
from torwart.wire import wakeup
from torwart.wire.certificate import Use


def send(link: GatewayLink, keys: KeyStore, gateway: str, now: datetime, run_id: str) -> dict[str, Any]:
    """Send one packet to the address the gateway listens at; nobody ever answers it.

    Returns ``{"sent": bool, "address": …}``; a gateway without a known address is not woken (it calls by itself).
    """
    device = gateways.get(gateway)
    address = device.wan.get("wake_up", "")
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return {"sent": False, "address": address}
    key = administrator.key(keys, device.client_id, Use.SIG)
    curve = key.certificate.public_key().curve  # type: ignore[union-attr]  # the profile knows EC keys only
    packet = wakeup.build(DeviceId(gateway), now, sign_plain=wakeup.plain_signer(key.sign, curve))
    link.send_wake_up((host.strip("[]"), int(port)), packet)
    transcript.keep_wake_up(device, address, packet, at=now, run=transcript.run_key(run_id))
    return {"sent": True, "address": address}


def require_rate(gateway: str, now: datetime, limit: WakeUpLimit) -> None:
    """Refuse (``precondition.wake_up_too_often``) if the gateway has been woken as often as allowed lately."""
    rows = Exchange.objects.filter(gateway__device_id=gateway, purpose="wake-up", at__gt=now - limit.period)
    limit.check(gateway, list(rows.order_by("at").values_list("at", flat=True)), now)

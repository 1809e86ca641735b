"""Wake-ups: the one packet that reaches a silent gateway, signed with the client's GWA key (spec/04 §1.5)."""

from datetime import datetime
from typing import Any

from torwart.kernel.identifiers import DeviceId
from torwart.ports.gateway_link import GatewayLink
from torwart.ports.key_store import KeyStore
from torwart.services import administrator, transcript
from torwart.services import gateway as gateways
from torwart.wire import wakeup
from torwart.wire.certificate import Use


def send(link: GatewayLink, keys: KeyStore, gateway: str, now: datetime, run: int | None = None) -> dict[str, Any]:
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
    transcript.keep_wake_up(device, address, packet, at=now, run=run)
    return {"sent": True, "address": address}

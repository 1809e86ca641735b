"""Events of gateways: opened with the client's key, believed from the gateway's own signature, kept once."""

from collections.abc import Mapping
from typing import Any

from torwart.kernel.refusals.process import EVENT_FOREIGN
from torwart.ports.key_store import KeyStore
from torwart.services import administrator
from torwart.services import certificate as certificates
from torwart.services import gateway as gateways
from torwart.store import models
from torwart.wire import cms, smgw
from torwart.wire.certificate import Use
from torwart.wire.cms.keys import public_key_of


def take(keys: KeyStore, device_id: str, fact: str, target: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Keep the event a notification brought; ``False`` if it is none (a late result) or known already.

    Refuses ``cms.…`` what this gateway has not signed for us, ``cosem.…`` what is no event, and an event in the name
    of another device.
    """
    device = gateways.get(device_id)
    # Between the switch on the gateway and our knowing of it the new certificates are "issued" here.
    signers = {
        cms.ski_of(found): public_key_of(found)
        for seal in (True, False)
        for use, found in certificates.of_gateway(device, "issued", "active", seal=seal).items()
        if use is Use.SIG
    }
    key = administrator.key(keys, device.client_id, Use.ENC)
    told = smgw.told(target, dict(headers), cms.open_protected(body, agreer=key, signers=signers).content)
    if not isinstance(told, smgw.Event):
        return False
    if told.device != device_id:
        raise EVENT_FOREIGN(gateway=device_id, name=told.device)
    row = _row(told) | {"fact": fact}
    _, new = models.Event.objects.get_or_create(gateway=device, number=told.number, defaults=row)
    return new


def _row(told: smgw.Event) -> dict[str, Any]:
    return {
        "at": told.at,
        "level": told.level,
        "vendor": told.vendor,
        "event": told.event,
        "text": told.text,
        "log": told.log.value,
        "record_number": told.record_number,
        "success": told.success,
        "subject": told.subject,
        "parameters": list(told.parameters),
    }

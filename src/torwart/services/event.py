"""Events of gateways: opened with the client's key, believed from the gateway's own signature, kept once."""

import json
from collections.abc import Mapping
from typing import Any

from torwart.kernel.refusals.process import EVENT_FOREIGN
from torwart.ports.key_store import KeyStore
from torwart.services import administrator
from torwart.services import certificate as certificates
from torwart.services import gateway as gateways
from torwart.store import statement
from torwart.wire import cms, smgw
from torwart.wire.certificate import Use

_KEEP = """
INSERT INTO store_event (gateway_id, number, at, level, vendor, event, text, log, record_number, success, subject,
                         parameters, fact, received_at)
VALUES (%(gateway)s, %(number)s, %(at)s, %(level)s, %(vendor)s, %(event)s, %(text)s, %(log)s, %(record_number)s,
        %(success)s, %(subject)s, %(parameters)s, %(fact)s, now()) ON CONFLICT (gateway_id, number) DO NOTHING
"""


def take(keys: KeyStore, device_id: str, fact: str, target: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Keep the event a notification brought; ``False`` if it is none or known already. A late result is opened by who
    waits for it.

    Refuses ``cms.…`` what this gateway has not signed for us, ``cosem.…`` what is no event, and an event in the name
    of another device.
    """
    if target.partition("?")[0] == smgw.RESULT_TARGET:
        return False
    # Between the switch on the gateway and our knowing of it the new certificates are "issued" here.
    device = gateways.get(device_id)
    signers = dict(certificates.signers(device, "issued", "active"))
    key = administrator.key(keys, device.client_id, Use.ENC)
    told = smgw.told(target, dict(headers), cms.open_protected(body, agreer=key, signers=signers).content)
    if not isinstance(told, smgw.Event):
        return False
    if told.device != device_id:
        raise EVENT_FOREIGN(gateway=device_id, name=told.device)
    return statement.changed(_KEEP, _row(told) | {"gateway": device.pk, "fact": fact}) == 1


def _row(told: smgw.Event) -> dict[str, Any]:
    return {
        "number": told.number,
        "at": told.at,
        "level": told.level,
        "vendor": told.vendor,
        "event": told.event,
        "text": told.text,
        "log": told.log.value,
        "record_number": told.record_number,
        "success": told.success,
        "subject": told.subject,
        "parameters": json.dumps(list(told.parameters)),
    }

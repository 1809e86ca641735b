"""P16, SMGW-Wirkzertifikate erneuern: a new triple, signed for with the still valid key, installed and switched."""

from collections.abc import Mapping
from typing import Any

from torwart.kernel.words import Words
from torwart.processes import fields, parts
from torwart.processes.definition import Process, Step
from torwart.processes.telling import Telling
from torwart.services import certificate as certificates

STEPS = (
    Step("accepted", Words("Auftrag angenommen", "Order accepted"), stays=False),
    Step("keys", Words("Neue Schlüssel und Antrag", "New keys and request")),
    Step("certificates", Words("Neue Zertifikate von der Sub-CA", "New certificates from the Sub-CA")),
    Step("exchange", Words("Eingespielt und gewechselt", "Installed and switched")),
    Step("done", Words("Neue Laufzeit bestätigt", "New validity proven")),
)


def tell(run: Telling) -> Mapping[str, Any]:
    """The old triple stays in use until the gateway has called with the new one; then it is destroyed there."""
    run.enter("accepted", lambda: certificates.require_operational(run.gateway))
    run.enter("keys")
    package = parts.certificate_request(run, renewal=True)
    run.enter("certificates", lambda: parts.keep_request(run, "renewal", package))
    issued = parts.issued_certificates(run, "renewal")
    run.enter("exchange", lambda: parts.keep_certificates(run, issued))
    parts.exchange_certificates(run, issued)
    run.enter("done")
    valid: Mapping[str, Any] = run.write("not after", lambda: certificates.validity(run.gateway))
    return valid


PROCESS = Process(
    code="P16",
    name="renewal",
    words=Words("SMGW-Wirkzertifikate erneuern", "Renewal of operational certificates"),
    fields=(fields.GATEWAY, fields.REASON),
    steps=STEPS,
    tell=tell,
    not_cancellable_from="exchange",
    over_form=False,
    over_interface=False,
    result=lambda result: [(Words("Gültig bis", "Valid until"), str(result.get("not_after", ""))[:10])],
)

"""Parts that several stories are made of: looking at a gateway, its clock, certificates, profiles, reading back."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cosem import COSEM_APPLICATION
from torwart.kernel.refusals.gateway import GATEWAY_NOT_CONNECTED
from torwart.kernel.refusals.process import (
    CA_BUSY,
    CA_REFUSED,
    CA_SILENT,
    CA_WRONG_CERTIFICATE,
    CLOCK_OFF,
    METER_NOT_SEEN,
    NO_VALUE,
    READ_BACK_DIFFERS,
    REQUEST_FOREIGN,
)
from torwart.ports.process_engine import Json
from torwart.ports.sub_ca import SubCA
from torwart.processes.conversation import Conversation
from torwart.processes.telling import Telling
from torwart.services import administrator, revocation
from torwart.services import certificate as certificates
from torwart.services import gateway as gateways
from torwart.services import profile as profiles
from torwart.wire import crmf
from torwart.wire.certificate import Role, Use, identify
from torwart.wire.profiles import Profile, differences
from torwart.wire.smgw import Question, RequestOrder
from torwart.wire.smgw.model import Standing

CLOCK_LIMIT = 9.0
"""Seconds: ±1 % of the registration period of 900 s (PTB-A 50.8; spec/04 §1.9)."""

_PASSING = ("failure_internal_error", "failure_other_error")
"""Return codes after which the same request may succeed later (TR-03129-4 §2.2.2)."""


# Looking


def look(talk: Conversation) -> Json:
    """Who and how the gateway is, by its own word and by its connection."""
    status = talk.ask("status", talk.smgw.read_status())
    connection = talk.world.link.connected(talk.gateway)
    if connection is None:
        raise GATEWAY_NOT_CONNECTED(gateway=talk.gateway)  # gone between answer and look
    return {
        "device": str(status.device),
        "firmware": status.firmware.version,
        "state": status.state.value,
        "standing": status.standing.value,
        "time_valid": status.time_valid,
        "signal": status.signal_strength,
        "metering": status.metering,
        "serial": str(connection.get("serial", "")).lower().lstrip("0"),
    }


def meters_seen(talk: Conversation) -> Json:
    """The LMN as the gateway sees it: meter → configured, paired, seen, error."""
    devices = talk.ask("list LMN", talk.smgw.list_lmn())
    return {
        str(d.meter): {"configured": d.configured, "paired": d.paired, "seen": d.seen, "error": d.error}
        for d in devices
    }


def contracts(talk: Conversation) -> Json:
    """The evaluations as the gateway holds them, by id: state and last delivery."""
    return {
        contract.contract: {
            "state": contract.state.value,
            "last_sent": contract.last_sent.isoformat() if contract.last_sent else "",
        }
        for contract in talk.ask("contracts", talk.smgw.list_contracts())
    }


def set_clock(run: Telling) -> None:
    """The gateway synchronises by itself (NTP in TLS); the story waits until its clock is within the limit."""
    offset, valid = 0.0, False
    for number, pause in enumerate((0.0, *run.world.patience.clock)):
        run.pause(f"clock pause {number}", pause)
        offset, valid = run.at_gateway(f"clock {number}", clock)
        if valid and abs(offset) <= CLOCK_LIMIT:
            return
    word = "ja/yes" if valid else "nein/no"
    raise CLOCK_OFF(gateway=run.gateway, offset=round(offset, 1), limit=CLOCK_LIMIT, valid=word)


def clock(talk: Conversation) -> Json:
    """[deviation in seconds, whether the gateway believes its clock]."""
    before = talk.world.clock.now()
    reading = talk.ask("clock", talk.smgw.read_clock())
    middle = before + (talk.world.clock.now() - before) / 2
    return [(reading.at - middle).total_seconds(), reading.valid]


# Certificates


def certificate_request(run: Telling, *, renewal: bool) -> str:
    """Let the gateway make a new triple and its request package (base64)."""
    run.ask_slowly("generate", "generate key pairs", lambda smgw: smgw.generate_key_pairs(), intent=True)
    order = run.write("request order", partial(_request_order, run, renewal))
    package: str = run.ask_slowly(
        "package", "certificate request", lambda smgw: smgw.certificate_request(RequestOrder(**order)), intent=False
    )
    return package


def _request_order(run: Telling, renewal: bool) -> Json:
    device = gateways.get(run.gateway)
    ours = identify(administrator.key(run.world.keys, device.client_id, Use.SIG).certificate)
    return {
        "organisation": ours.organisation,
        "unit": ours.common_name,
        "sequence": certificates.next_sequence(device),
        "renewal": renewal,
    }


def keep_request(run: Telling, kind: str, package: str) -> None:
    """Check what the gateway asks for, authorise it with our signature and keep it before it is sent."""
    device = gateways.get(run.gateway)
    data = b64decode(package)
    parsed = crmf.parse_package(data)
    if DeviceId.parse(parsed.subject.common_name) != run.gateway:
        raise REQUEST_FOREIGN(gateway=run.gateway, name=parsed.subject.common_name)
    parsed.check_inner()
    key = administrator.key(run.world.keys, device.client_id, Use.SIG)
    certificates.prepare_request(run.run_id, device, kind, crmf.add_authorisation(data, signer=key))


def issued_certificates(run: Telling, kind: str) -> Sequence[str]:
    """Get the request answered, at once or by callback; the certificates as base64 DER, checked."""
    message_id = f"{run.run_id}:{kind}"
    code = run.at_ca("request certificates", partial(_request, message_id))
    if code == "ok_syntax":
        run.wait_for(
            f"ca:{message_id}",
            "callback",
            lambda: True if certificates.answer_of(message_id) else None,
            seconds=run.world.patience.ca_total,
        )
    found: Sequence[str] = run.write("check certificates", lambda: _checked(run, message_id))
    return found


def _request(message_id: str, ca: SubCA) -> str:
    """Ask once more only if there is no answer yet; the same message id and package are the same request."""
    known = certificates.answer_of(message_id)
    if known is not None:
        return known.return_code
    answer = ca.request_certificate(certificates.package(message_id), certificate_type="SMGW-W", message_id=message_id)
    if answer.return_code in _PASSING:
        raise CA_BUSY(code=answer.return_code, message=answer.message)
    certificates.answered(message_id, answer)
    return answer.return_code


def _checked(run: Telling, message_id: str) -> Json:
    """The three certificates of the answer: for this gateway, for the keys it asked for, of a trusted Sub-CA."""
    answer = certificates.answer_of(message_id)
    if answer is None:
        raise CA_SILENT(hours=round(run.world.patience.ca_total / 3600))
    if answer.return_code != "ok_cert_available":
        raise CA_REFUSED(gateway=run.gateway, code=answer.return_code, message=answer.message)
    wanted = crmf.parse_package(certificates.package(message_id)).public_keys
    found: dict[Use, x509.Certificate] = {}
    for der in answer.certificates:
        certificate = x509.load_der_x509_certificate(der)
        identity = identify(certificate)
        if identity.role is not Role.SMGW:
            continue
        try:
            run.world.trust.validate(
                certificate, at=run.world.clock.now(), role=Role.SMGW, use=identity.use, seal=False
            )
        except Refusal as refusal:
            raise CA_WRONG_CERTIFICATE(gateway=run.gateway, why=refusal.text("de")) from refusal
        if DeviceId.parse(identity.common_name) != run.gateway or certificate.public_key() != wanted.get(identity.use):
            raise CA_WRONG_CERTIFICATE(gateway=run.gateway, why=f"{identity.use}: {identity.common_name}")
        found[identity.use] = certificate
    if found.keys() != wanted.keys():
        raise CA_WRONG_CERTIFICATE(gateway=run.gateway, why=f"{len(found)} / 3")
    return [b64encode(found[use].public_bytes(Encoding.DER)).decode() for use in (Use.TLS, Use.SIG, Use.ENC)]


def keep_certificates(run: Telling, issued: Sequence[str]) -> None:
    """Keep the new certificates before the gateway gets them; ones it never took into use are out of the question."""
    device = gateways.get(run.gateway)
    certificates.set_state(device, ["issued"], "retired", actor=f"run:{run.run_id}", seal=False)
    for der in issued:
        certificate = x509.load_der_x509_certificate(b64decode(der))
        certificates.remember(certificate, state="issued", gateway=device)


def exchange_certificates(run: Telling, issued: Sequence[str]) -> None:
    """Install, switch, and wait until the gateway calls with its new certificates."""
    tls, *_ = ders = [b64decode(der) for der in issued]
    serial = f"{x509.load_der_x509_certificate(tls).serial_number:x}"
    sub_ca = [issuer.certificate for issuer in run.world.trust.issuers.values() if not issuer.seal]
    ders += [certificate.public_bytes(Encoding.DER) for certificate in sub_ca]
    run.at_gateway("import", lambda talk: talk.ask("import certificates", talk.smgw.import_certificates(ders)))
    run.at_gateway("activate", partial(_activate, serial), intent=True)
    run.write("switched", lambda: _switched(run))
    run.look_again()
    run.at_gateway("reconnected", partial(_reconnected, serial))


def retire_seal(talk: Conversation) -> None:
    """Destroy the seal set on the gateway; there may be none any more."""
    if any(entry.standing == Standing.SEAL for entry in talk.ask("certificates", talk.smgw.read_certificates())):
        talk.ask("retire seal", talk.smgw.retire_seal())


def _uses(talk: Conversation, serial: str) -> bool:
    connection = talk.world.link.connected(talk.gateway)
    return connection is not None and str(connection.get("serial", "")).lower().lstrip("0") == serial


def _activate(serial: str, talk: Conversation) -> None:
    """Switch, unless the gateway has already switched (an earlier attempt whose answer was lost)."""
    if not _uses(talk, serial):
        talk.ask("activate certificates", talk.smgw.activate_certificates())


def _switched(run: Telling) -> None:
    device = gateways.get(run.gateway)
    actor = f"run:{run.run_id}"
    certificates.set_state(device, ["active"], "retired", actor=actor, seal=False)
    certificates.set_state(device, ["issued"], "active", actor=actor, seal=False)


def _reconnected(serial: str, talk: Conversation) -> None:
    if not _uses(talk, serial):
        raise GATEWAY_NOT_CONNECTED(gateway=talk.gateway)
    talk.ask("status", talk.smgw.read_status())


# Meters and profiles


def pair_meters(run: Telling, meters: Sequence[str]) -> None:
    """Wait until gateway and meters have found each other; ask for pairing where they have not."""
    missing: list[str] = list(meters)
    forgotten: list[str] = []
    for number, pause in enumerate((0.0, *run.world.patience.meter)):
        run.pause(f"meters pause {number}", pause)
        seen: Mapping[str, Any] = run.at_gateway(f"meters {number}", meters_seen)
        missing = [meter for meter in meters if not seen.get(meter, {}).get("paired")]
        if not missing:
            return
        forgotten = [meter for meter in missing if not seen.get(meter, {}).get("configured")]
        paired = run.at_gateway(f"pair {number}", partial(_pair, missing))
        if all(paired):
            return
    if forgotten:
        # The profile was taken and is not there: what is wrong is not the meter.
        raise READ_BACK_DIFFERS(gateway=run.gateway, differences=", ".join(forgotten))
    raise METER_NOT_SEEN(gateway=run.gateway, meter=", ".join(missing))


def _pair(meters: Sequence[str], talk: Conversation) -> Json:
    results = []
    for meter in meters:
        try:
            results.append(talk.ask(f"pair {meter}", talk.smgw.pair_meter(DeviceId(meter))).paired)
        except Refusal as refusal:
            if refusal.kind is not COSEM_APPLICATION:
                raise
            results.append(False)
    return results


def read_back(talk: Conversation, wanted: Mapping[str, Sequence[Profile]]) -> Json:
    """Read every wanted profile and compare; the names, or a refusal that says field by field what differs."""
    actual: dict[str, Profile | None] = {}
    found: list[str] = []
    for profile in (profile for group in wanted.values() for profile in group):
        name = profile.container_id
        try:
            actual[name] = held = talk.ask(f"read {name}", talk.smgw.read_back(profile))
            found += [f"{name}: {difference}" for difference in differences(profile.without_secrets(), held)]
        except Refusal as refusal:
            if refusal.code != "cosem.not_found":
                raise
            actual[name] = None
            found.append(f"{name}: –")
    profiles.read_back(talk.device, actual)
    if found:
        raise READ_BACK_DIFFERS(gateway=talk.gateway, differences="; ".join(found[:5]))
    return sorted(actual)


def write(talk: Conversation, wanted: Sequence[Profile]) -> int:
    """Write profiles in their order; writing is repeatable, each container replaces itself. How many there were."""
    for profile in wanted:
        talk.ask(f"write {profile.container_id}", talk.smgw.write_profile(profile))
    return len(wanted)


def send_now(names: Sequence[str], talk: Conversation) -> None:
    """Ask these contracts to deliver at once. The proof is the EMT's word, not the gateway's: its late answer need not
    be waited for.
    """
    for name in names:
        asked = talk.smgw.send_reading_now(name).with_reply(talk.world.network.contact)
        response = talk.exchange(f"send {name}", asked)
        if not asked.later(response):
            talk.read(f"send {name}", asked, response)


def confirmed(run: Telling, first: str | None) -> str:
    """The instant of the first confirmed value, or the refusal that there was none."""
    if first is None:
        raise NO_VALUE(gateway=run.gateway, hours=round(run.world.patience.first_value_total / 3600, 1))
    return first


# The way out


def wipe_consumer_data(talk: Conversation) -> None:
    """Delete what consumers of this gateway could see; nothing there is no error."""
    for consumer in profiles.consumers(talk.device):
        _unless_absent(talk, f"wipe {consumer}", talk.smgw.wipe_consumer_data(consumer))


def delete_profiles(talk: Conversation) -> Json:
    """Delete all profiles but the administrator's own and prove that they are gone; the names of what there was."""
    return delete(talk, profiles.removable(talk.device))


def delete(talk: Conversation, known: Sequence[Profile]) -> list[str]:
    """Delete these profiles in their order and prove that they are gone; their names."""
    for profile in known:
        _unless_absent(talk, f"delete {profile.container_id}", talk.smgw.remove(profile))
    left = {address.path for address in talk.ask("list profiles", talk.smgw.list_profiles())}
    remaining = [profile.container_id for profile in known if profile.address.path in left]
    if remaining:
        raise READ_BACK_DIFFERS(gateway=talk.gateway, differences="; ".join(remaining[:5]))
    return [profile.container_id for profile in known]


def forget_profiles(gateway: str, names: Sequence[str]) -> None:
    """Our data follow: these stand on the gateway no more."""
    profiles.removed(gateways.get(gateway), names)


def _unless_absent(talk: Conversation, purpose: str, question: Question[Any]) -> None:
    try:
        talk.ask(purpose, question)
    except Refusal as refusal:
        if refusal.code != "cosem.not_found":
            raise


def revoke(run: Telling, reason: str) -> Sequence[str]:
    """Revoke the gateway's operational certificates at the Sub-CA and prove it by its revocation list."""
    serials: Sequence[str] = run.write("to revoke", lambda: certificates.operational_serials(run.gateway))
    if serials:
        run.at_ca("revoke", partial(_revoke, run, serials, reason))
    return serials


def _revoke(run: Telling, serials: Sequence[str], reason: str, ca: SubCA) -> str:
    """Look at the list first: what it holds is not revoked twice."""
    numbers = {int(serial, 16) for serial in serials}
    if not revocation.lists(ca, run.world.trust, numbers):
        device = gateways.get(run.gateway)
        owned = certificates.by_serial(device, serials)
        key = administrator.key(run.world.keys, device.client_id, Use.SIG)
        order = crmf.sign_revocation(crmf.Action.REVOKE, owned, signer=key, reason=reason, certificate=key.certificate)
        answer = ca.revoke(order)
        if answer.return_code in _PASSING:
            raise CA_BUSY(code=answer.return_code, message=answer.message)
        if answer.return_code != "ok_received_correctly":
            raise CA_REFUSED(gateway=run.gateway, code=answer.return_code, message=answer.message)
        if not revocation.lists(ca, run.world.trust, numbers):
            raise CA_BUSY(code="CRL", message=", ".join(serials))
    revocation.refresh(ca, run.world.trust, run.world.link, run.world.clock.now())
    return reason

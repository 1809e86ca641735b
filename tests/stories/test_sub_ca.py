"""The Sub-CA in every mood: late, twice, away, wrong, refusing. Nothing is lost and nothing asked twice."""

import time

import pytest
from staging import Scene

from torwart.kernel.run_state import RunState
from torwart.sim.sub_ca import Mode
from torwart.store.models import Certificate, CertificateRequest, Run


@pytest.mark.requirement("WAN-3.4")
@pytest.mark.parametrize("times", [1, 2])
def test_a_sub_ca_that_calls_back_is_waited_for(scene: Scene, times: int) -> None:
    """``ok_syntax`` now and the certificates later, once or twice: one set, one answer."""
    with scene.sub_ca(mode=Mode.CALLBACK, callback_delay=0.3, callback_times=times):
        device = scene.take()
        line = scene.ended(scene.commission(device))
        time.sleep(0.4 * (times - 1))

    assert line.state == "succeeded", line
    request = CertificateRequest.objects.get(gateway__device_id=device)
    assert (request.state, request.return_code) == ("answered", "ok_cert_available")
    assert len(scene.issued(device)) == 1
    assert Certificate.objects.filter(gateway__device_id=device, seal=False).count() == 3


@pytest.mark.requirement("WAN-3.4")
def test_a_sub_ca_that_is_away_is_waited_for_visibly(scene: Scene) -> None:
    """While the CA is down the run waits, says it is the CA's fault and when it tries again; then it goes on."""
    with scene.sub_ca(mode=Mode.DOWN):
        device = scene.take()
        run_id = scene.commission(device)
        line = scene.waiting(run_id)
        run = Run.objects.get(run_id=run_id)
        assert (line.step, line.side, line.code.partition(".")[0]) == ("certificates", "ca", "ca")
        assert (run.waiting_for, run.next_attempt_at is not None) == ("time", True)

    assert scene.ended(run_id).state == "succeeded"
    assert len(scene.issued(device)) == 1


@pytest.mark.requirement("WAN-3.4")
def test_a_ca_with_a_passing_failure_is_asked_again(scene: Scene) -> None:
    """failure_internal_error twice, then the answer to the same request."""
    with scene.sub_ca(fail="failure_internal_error", fail_operation="RequestCertificate", fail_times=2):
        device = scene.take()
        line = scene.ended(scene.commission(device))

    assert (line.state, line.attempts >= 2) == ("succeeded", True)
    assert CertificateRequest.objects.filter(gateway__device_id=device).count() == 1


@pytest.mark.requirement("WAN-3.4")
@pytest.mark.parametrize("mode", [Mode.SYNCHRONOUS, Mode.CALLBACK])
def test_certificates_for_other_keys_are_not_installed(scene: Scene, mode: Mode) -> None:
    """The answer does not fit the request: failed, side CA, and the gateway never sees these certificates."""
    with scene.sub_ca(mode=mode, wrong_key=True):
        device = scene.take()
        line = scene.ended(scene.commission(device))

    assert (line.state, line.code, line.side) == ("failed", "process.ca_wrong_certificate", "ca")
    assert line.steps[-1] == "certificates"
    assert scene.events(device)["certificates_installed"] == 0


@pytest.mark.requirement("WAN-3.4")
@pytest.mark.parametrize("code", ["failure_inner_signature", "failure_request_not_accepted", "failure_syntax"])
def test_a_refusal_of_the_sub_ca_ends_the_run_with_its_code(scene: Scene, code: str) -> None:
    """What the CA will never do is failed at once, with the CA's own return code in the text."""
    with scene.sub_ca(fail=code, fail_operation="RequestCertificate"):
        device = scene.take()
        line = scene.ended(scene.commission(device))

    assert (line.state, line.code, line.side) == ("failed", "process.ca_refused", "ca")
    assert code in line.failure


@pytest.mark.requirement("WAN-3.4")
def test_a_refused_callback_ends_the_run(scene: Scene) -> None:
    """The CA's late no is a no."""
    with scene.sub_ca(mode=Mode.CALLBACK, fail="failure_request_not_accepted", fail_operation="SendCertificates"):
        device = scene.take()
        line = scene.ended(scene.commission(device))

    assert (line.state, line.code, line.side) == (RunState.FAILED, "process.ca_refused", "ca")


@pytest.mark.requirement("P03", "WAN-3.4")
def test_after_the_cas_error_the_order_can_be_repeated(scene: Scene) -> None:
    """A new order makes a new request that the CA answers."""
    with scene.sub_ca(wrong_key=True):
        device = scene.take()
        assert scene.ended(scene.commission(device)).state == "failed"
    line = scene.ended(scene.commission(device))

    assert line.state == "succeeded", line
    assert CertificateRequest.objects.filter(gateway__device_id=device).count() == 2


@pytest.mark.requirement("P10", "WAN-3.3")
def test_a_removal_waits_for_the_sub_ca(scene: Scene) -> None:
    """The gateway is not called removed before its certificates are provably revoked."""
    device = scene.in_operation()
    with scene.sub_ca(mode=Mode.DOWN):
        run_id = scene.order_removal(device, "scrap")
        assert scene.waiting(run_id).step == "revocation"

    assert scene.ended(run_id).state == "succeeded"
    serials = [c.serial_number for c in scene.issued(device)[0]]
    listed = scene.revoked()
    assert [listed.count(serial) for serial in serials] == [1, 1, 1]

"""The gatekeeper alone: what it remembers, and that the policy of this very moment decides."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.headend import gatekeeper as module
from torwart.headend.config import Limits, Scenario
from torwart.headend.gatekeeper import Gatekeeper
from torwart.kernel.refusals import Refusal
from torwart.ports.gateway_link import Policy
from torwart.sim.pki import TestPki
from torwart.wire.tls import Chain

DEVICE = "EPPC0212345678"


@pytest.fixture
def chain(pki: TestPki) -> Chain:
    certificates = pki.chain_of(pki.operational_triple(DEVICE).tls.certificate)[:2]
    return tuple(c.public_bytes(Encoding.DER) for c in certificates)


def refused(keeper: Gatekeeper, chain: Chain) -> str:
    with pytest.raises(Refusal) as caught:
        keeper.enter(chain, Scenario.MANAGEMENT)
    return caught.value.code


def test_the_policy_of_the_moment_decides(headend_config: Any, chain: Chain) -> None:
    """A policy that came between the handshake's judgement and its end counts; without one nobody enters."""
    keeper = Gatekeeper(headend_config())
    judge = keeper.verdict(Scenario.MANAGEMENT)
    assert refused(keeper, chain) == "headend.no_policy"
    assert keeper.apply(Policy(version=1))
    assert judge(chain) is None
    assert keeper.apply(Policy(version=2, blocklist=[DEVICE]))
    assert refused(keeper, chain) == "headend.blocked"
    assert not keeper.apply(Policy(version=1))
    assert refused(keeper, chain) == "headend.blocked"


def test_what_is_remembered_is_bounded(
    headend_config: Any, chain: Chain, pki: TestPki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate is read once; when too many are remembered the memory starts anew and nothing else changes."""
    read: list[bytes] = []
    real = module._read
    monkeypatch.setattr(module, "_read", lambda der, authority: (read.append(der), real(der, authority))[1])
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    keeper = Gatekeeper(headend_config())
    others = [(pki.operational_triple(f"EPPC021234567{n}").tls.certificate_der, chain[1]) for n in range(3)]
    assert [keeper.peer(chain).device for _ in range(3)] == [DEVICE] * 3
    assert len(read) == 1
    assert [keeper.peer(other).device for other in others] == [f"EPPC021234567{n}" for n in range(3)]
    assert len(keeper._peers) <= 2
    assert keeper.peer(chain).device == DEVICE


def test_other_authorities_make_it_forget(headend_config: Any, chain: Chain) -> None:
    """After a change of trust nothing known before counts: the Sub-CA taken off the list takes its peers along."""
    config = headend_config(limits=Limits(certificate_burst=100))
    keeper = Gatekeeper(config)
    keeper.apply(Policy(version=1))
    keeper.enter(chain, Scenario.MANAGEMENT)
    keeper.trust(replace(config, issuers={der: seal for der, seal in config.issuers.items() if seal}))
    assert refused(keeper, chain) == "tls.unknown_ca"


def test_a_chain_without_its_sub_ca_is_no_chain(headend_config: Any, chain: Chain) -> None:
    """Whoever issued it must be known."""
    keeper = Gatekeeper(headend_config())
    with pytest.raises(Refusal) as caught:
        keeper.peer(chain[:1])
    assert caught.value.code == "tls.unknown_ca"

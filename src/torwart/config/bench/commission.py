"""``commission``: CPU of head-end, workers and database for one commissioning, against its public-key operations.

The whole of P03 runs over TLS, with real processes, on gateways without faults. The floor is the sum of the
public-key operations our side cannot do without, counted from what was exchanged, each timed in the same run.
"""

import glob
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.config.bench.harness import Result, rate

if TYPE_CHECKING:
    from torwart.config.demo.stage import Stage

MOST_RATIO = 2.5
MOST_GROWTH = 11.0
SMALL, LARGE = 100, 1000
_SIZES = (SMALL, LARGE)
_TICK = os.sysconf("SC_CLK_TCK")
_SECONDS = 1800.0
_LOOK_SECONDS, _POLICY_SECONDS = 0.25, 0.3
_PATIENCE = {"gateway": (10.0, 30.0, 60.0), "clock": (5.0, 20.0, 60.0), "meter": (2.0, 5.0, 20.0)}
"""As in operation: who waits is woken by what happens, not by asking every second."""
_SHA = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True)
class Units:
    """CPU seconds of one raw operation; ``root``: verifying with the root's key on brainpoolP384r1."""

    sign: float
    verify: float
    agree: float
    generate: float
    root: float


def run() -> list[Result]:
    """One line for the ratio at ``SMALL``, one for the growth to ``LARGE``."""
    # TORWART_BENCH_QUICK measures a tenth of the gateways: to see that the bench works, not to quote.
    small, large = (size // 10 if os.environ.get("TORWART_BENCH_QUICK") else size for size in _SIZES)
    used, floor, seconds = _commission(small)
    _, _, more = _commission(large)
    ratio, growth = used / floor, more / seconds
    return [
        Result(
            name="commission",
            case=f"N={small}",
            value=used * 1000,
            unit="ms CPU per gateway",
            floor=floor * 1000,
            floor_what="its counted public-key operations",
            ratio=ratio,
            target=f"<= {MOST_RATIO}",
            reached=ratio <= MOST_RATIO,
            spread=0.0,
        ),
        Result(
            name="commission",
            case=f"N={large} against N={small}",
            value=more,
            unit="s",
            floor=seconds,
            floor_what=f"N={small}",
            ratio=growth,
            target=f"<= {MOST_GROWTH}",
            reached=growth <= MOST_GROWTH,
            spread=0.0,
        ),
    ]


def units() -> Units:
    """Time the raw operations, warm."""
    key, peer = ec.generate_private_key(ec.BrainpoolP256R1()), ec.generate_private_key(ec.BrainpoolP256R1())
    root = ec.generate_private_key(ec.BrainpoolP384R1())
    public, message = key.public_key(), b"x" * 256
    signature, by_root = key.sign(message, _SHA), root.sign(message, _SHA)
    root_public = root.public_key()
    return Units(
        sign=1 / rate(lambda: key.sign(message, _SHA)),
        verify=1 / rate(lambda: public.verify(signature, message, _SHA)),
        agree=1 / rate(lambda: key.exchange(ec.ECDH(), peer.public_key())),
        generate=1 / rate(lambda: ec.generate_private_key(ec.BrainpoolP256R1())),
        root=1 / rate(lambda: root_public.verify(by_root, message, _SHA)),
    )


def _commission(count: int) -> tuple[float, float, float]:
    """(CPU seconds per gateway, floor per gateway, wall seconds) for ``count`` gateways."""
    from torwart.config.installation import django_setup

    django_setup("postgresql:///unused", migrated=False)
    from torwart.store.queries import bench

    with _stage(count) as stage:
        stage.import_note()
        before, units_before, began = _cpu(stage), units(), time.monotonic()
        stage.order_commissioning()
        _until(lambda: bench.progress().reserved == count)
        time.sleep(_POLICY_SECONDS)
        stage.power_on()
        _until(lambda: bench.progress().running == 0)
        wall = time.monotonic() - began
        used, units_after = _cpu(stage) - before, units()
        if failed := bench.progress().failed:
            sys.stderr.write(f"{failed} of {count} not commissioned\n")
        floor = (_floor(units_before) + _floor(units_after)) / 2
    return used / count, floor / count, wall


def _until(reached: Callable[[], bool]) -> None:
    """Look rarely and cheaply: who watches must not be what is measured."""
    deadline = time.monotonic() + _SECONDS
    while not reached() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _stage(count: int) -> Iterator["Stage"]:
    from torwart.config.demo.scenario import ORDINARY
    from torwart.config.demo.stage import Stage

    directory = Path(tempfile.mkdtemp(prefix="torwart-bench-"))
    stage = Stage(directory, [ORDINARY] * count, worker={"patience": _PATIENCE})
    try:
        stage.start(lambda _what: None)
        yield stage
    finally:
        stage.stop()


def _floor(one: Units) -> float:
    """Seconds of public-key operations of our side in everything that has been exchanged in this database."""
    from torwart.store.queries import bench

    done = bench.counts()
    handshake = one.generate + one.agree + one.sign + 2 * one.verify + one.root
    return (
        done.handshakes * handshake
        + done.messages_out * (one.sign + one.generate + one.agree)
        + done.messages_in * (one.verify + one.agree)
        + done.wake_ups * one.sign
        + done.confirmations * one.verify
        # Each request: three inner signatures and the outer one checked, ours put on; three certificates checked.
        + done.requests * (4 * one.verify + one.sign + 3 * one.verify)
    )


def _cpu(stage: "Stage") -> float:
    """CPU seconds so far of head-end, workers and the database server with all its processes."""
    ours = [stage.family[name].pid for name in ("headend", "worker-1", "worker-2")]
    return sum(_own(pid) for pid in ours) + _server_cpu()


def _times(pid: int | str) -> list[float]:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return [float(fields[1]), *(int(field) / _TICK for field in fields[11:15])]


def _own(pid: int) -> float:
    _, user, system, *_ = _times(pid)
    return user + system


def _server_cpu() -> float:
    from torwart.config.installation import state_dir

    pid_file = next((state_dir() / "postgresql").rglob("postmaster.pid"))
    master = int(pid_file.read_text().split()[0])
    total = sum(_times(master)[1:])
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            parent, user, system, *_ = _times(path.split("/")[2])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == master:
            total += user + system
    return total

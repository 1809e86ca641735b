"""Child processes: ready or refused with their log, and gone when the parent is gone, however it went."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from torwart.config.children import Family
from torwart.kernel.refusals import Refusal

CHILD = textwrap.dedent(
    """
    import sys, time, threading
    from torwart.config.children import exit_with_parent, report_ready
    ended = threading.Event()
    exit_with_parent(ended.set)
    report_ready(answer=42)
    print("after ready " + "x" * 200_000, flush=True)
    ended.wait(60)
    """
)


def _program(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.mark.requirement("SIM-killed")
def test_a_child_says_when_it_is_ready_and_where(tmp_path: Path) -> None:
    """Its facts are there; what it writes afterwards blocks nobody; SIGTERM ends it."""
    family = Family(tmp_path)
    child = family.await_ready(family.start("child", program=_program(CHILD)))

    assert (child.facts["answer"], family.dead(), family["child"].pid) == (42, [], child.pid)
    began = time.monotonic()
    family.stop()
    assert (child.process.poll(), time.monotonic() - began < 5) == (-signal.SIGTERM, True)


def test_a_child_that_is_waited_for_late_is_seen(tmp_path: Path) -> None:
    """Its line lies in the pipe behind others; all of it is read."""
    code = "print('a word before'); import time; print('{\"ready\": true, \"answer\": 1}', flush=True); time.sleep(60)"
    family = Family(tmp_path)
    child = family.start("child", program=_program(code))
    time.sleep(1)
    assert family.await_ready(child, 10).facts["answer"] == 1
    family.stop()


def test_a_child_that_dies_is_refused_with_its_last_words(tmp_path: Path) -> None:
    """The refusal carries exit code and log, so that one need not look for it."""
    family = Family(tmp_path)
    child = family.start("child", program=_program("import sys; sys.exit('no database anywhere')"))
    with pytest.raises(Refusal) as refused:
        family.await_ready(child)

    assert refused.value.code == "installation.child_died"
    assert "no database anywhere" in refused.value.text("en")
    assert family.dead() == [child]
    family.stop()


def test_a_child_that_stays_silent_is_refused_in_time(tmp_path: Path) -> None:
    """Waiting has an end."""
    family = Family(tmp_path)
    child = family.start("child", program=_program("import time; print('hm', flush=True); time.sleep(60)"))
    with pytest.raises(Refusal) as refused:
        family.await_ready(child, seconds=0.5)

    assert refused.value.code == "installation.child_silent"
    family.stop()
    assert child.process.poll() is not None


def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """Who ignores SIGTERM gets SIGKILL after its time."""
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    deaf += "from torwart.config.children import report_ready; report_ready(); time.sleep(60)"
    family = Family(tmp_path)
    child = family.await_ready(family.start("child", program=_program(deaf)))
    child.stop(seconds=0.2)

    assert child.process.poll() == -signal.SIGKILL
    family.stop()


@pytest.mark.requirement("SIM-killed")
def test_children_end_with_a_killed_parent(tmp_path: Path) -> None:
    """The parent gets SIGKILL and can tell nobody: its child ends all the same."""
    parent = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from torwart.config.children import Family
        family = Family(Path({str(tmp_path)!r}))
        child = family.await_ready(family.start("child", program=(sys.executable, "-c", {CHILD!r})))
        print(child.pid, flush=True)
        time.sleep(60)
        """
    )
    process = subprocess.Popen(_program(parent), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert _lives(child)
    process.kill()
    process.wait()
    process.stdout.close()

    deadline = time.monotonic() + 5
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has collected does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False

"""How the process that keeps a mirror tries again: as seldom as a far side can bear it."""

from __future__ import annotations

import shlex
import sys
import threading
from pathlib import Path

import pytest

from core.remote import process
from core.remote.address import FAR, Address
from core.remote.mirror import Mirror
from core.remote.process import Mirroring
from core.run import link
from core.run.folder import RunFolder
from core.view.linked import linked
from core.view.readings import trouble
from core.view.state import State
from tests.remote.far import Far, make_run

ENDS_AT_ONCE = """
import sys, time
from core.remote import messages as m
run = open(sys.argv[-1] + "/run.json", "rb").read()
hello = m.Hello(run=run, name="demo", path=sys.argv[-1], size=0, time=time.time())
sys.stdout.buffer.write(m.GREETING % m.PROTOCOL + m.packed(hello) + m.packed(m.Beat(alive=False)))
"""


class Waits(threading.Event):
    """Set after so many waits, which last no time."""

    def __init__(self, most: int, far: Far | None = None, why: str = "") -> None:
        super().__init__()
        self.found = list[float]()
        self._most, self._far, self._why = most, far, why

    def wait(self, timeout: float | None = None) -> bool:
        self.found.append(timeout or 0.0)
        if self._far:
            self._far.down(True, self._why)
        if len(self.found) == self._most:
            self.set()
        return self.is_set()


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "runs" / "demo")


@pytest.fixture
def mirror(run: RunFolder, tmp_path: Path, far: Far, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """Of a run whose far side ends as soon as it has greeted."""
    monkeypatch.setenv(FAR, shlex.join([sys.executable, "-c", ENDS_AT_ONCE]))
    root = tmp_path / "mirror"
    root.mkdir()
    return Mirror(root, Address("far", None, str(run.path)))


def test_a_far_side_that_ends_at_once_is_not_knocked_at_all_the_time(mirror: Mirror) -> None:
    over = Waits(7)
    Mirroring(mirror, "", over).work()
    assert over.found == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


@pytest.mark.parametrize("why", ["me@far: Permission denied (publickey,password).", "Host key verification failed."])
def test_who_is_not_let_in_any_more_waits_longer_and_says_what_to_do(mirror: Mirror, far: Far, why: str) -> None:
    over = Waits(3, far, why)
    Mirroring(mirror, "", over).work()
    assert over.found == [0.5, process.REFUSED_PAUSE, process.REFUSED_PAUSE] and mirror.run is not None
    known = link.read(mirror.run.path)
    assert known is not None and why.rstrip(".") in known.why
    state = linked(State(), mirror.run, 0.0)
    assert trouble(state, state.away + 90.0) == "no link for 1 min 30 s, not let in: attach again"
    assert known.why.endswith("leave and attach again (a key in ssh-agent spares that)")


def test_a_far_shell_that_may_not_run_it_is_no_refusal_of_ssh(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    working = Mirroring(mirror, "", Waits(1))
    working._tried(asks=True)
    monkeypatch.setenv(FAR, "sh -c 'echo sh: tui-trainer: Permission denied >&2; exit 126'")
    assert not working._tried(asks=False) and mirror.run is not None
    known = link.read(mirror.run.path)
    assert known is not None and known.why.endswith("say where it is: --remote-command '.venv/bin/tui-trainer'")


def test_a_full_disk_here_says_where_it_is(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    working = Mirroring(mirror, "", Waits(1))
    monkeypatch.setattr("core.remote.mirror.ROOM", 1 << 60)
    monkeypatch.setenv(FAR, f"{shlex.quote(sys.executable)} -P -m tui_trainer")
    monkeypatch.setattr(working, "_announced", True)
    assert not working._tried(asks=False) and mirror.run is not None
    known = link.read(mirror.run.path)
    assert known is not None and known.why.startswith("here, ") and "No space left on device" in known.why
    assert str(mirror.run.path.parent) in known.why

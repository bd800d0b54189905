"""Two hosts that train one run, as docs/distributed.md has it, and one that loses its power."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import events as e
from core.run import journal, session
from core.run.folder import RunFolder
from tests.distributed.hosts import POSSIBLE, Host, two_hosts
from tests.distributed.together import begun, logs, outcome, wait_for

pytestmark = [
    pytest.mark.others,
    pytest.mark.skipif(not POSSIBLE, reason="needs root and ip (iproute2)"),
    pytest.mark.timeout(600),
]


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    with two_hosts() as both:
        yield both


def words(run: RunFolder) -> str:
    return "\n".join([logs(run), *(log.read_text() for log in run.path.parent.glob("*.log"))])


def on_one_machine(run: RunFolder) -> None:
    assert session.start(run, nproc=2, threads=2).wait(180) == 0, logs(run)


def test_two_hosts_train_as_two_processes_of_one_do(tmp_path: Path, hosts: tuple[Host, Host]) -> None:
    run, untouched = (begun(tmp_path / name, epochs=4) for name in ("run", "untouched"))
    launchers = [host.torchrun(run) for host in hosts]
    assert [launcher.wait(180) for launcher in launchers] == [0, 0], words(run)
    on_one_machine(untouched)
    assert outcome(run) == outcome(untouched)


@pytest.mark.parametrize("number", [0, 1])
def test_a_host_that_lost_power_comes_back_and_the_run_goes_on(tmp_path: Path, hosts: tuple[Host, Host], number: int) -> None:
    run, untouched = (begun(tmp_path / name, epochs=20) for name in ("run", "untouched"))
    launchers = [host.torchrun(run, max_restarts=3) for host in hosts]
    wait_for(lambda: run.journal.exists() and len(journal.find(run.journal, e.CheckpointSaved)) > 1, 180)
    hosts[number].lose_power()
    launchers[number].wait(30)
    if number == 0:  # where the launchers meet is gone with it: the other one ends, and is started again as well
        assert launchers[1].wait(180) != 0, words(run)
        launchers = [host.torchrun(run, max_restarts=3) for host in hosts]
    else:
        launchers[number] = hosts[number].torchrun(run, max_restarts=3)
    assert [launcher.wait(300) for launcher in launchers] == [0, 0], words(run)
    assert journal.find(run.journal, e.RunResumed)
    on_one_machine(untouched)
    assert outcome(run) == outcome(untouched)

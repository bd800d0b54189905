"""Links that die without a word, and commands from a hostile side."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from core import commands as c
from core.events import CommandAccepted
from core.remote import connection
from core.remote import messages as m
from core.remote.address import Address
from core.remote.connection import Connection, Cut
from core.remote.streaming import deliver
from core.run import inbox
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter
from tests.remote.far import Far
from tests.tui.runs import started

ID = "0123456789ab"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "demo")
    made.create(RunFile(id="one", name="demo"))
    return made


def test_a_link_that_is_dead_is_noticed_by_its_silence(far: Far, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a laptop's sleep: nothing is closed, and nothing comes."""
    link = Connection(Address("far", None, "").command(["stream", "--", str(run.path)]), "far", asks=True)
    link.send(m.Have())
    came = list[m.Message]()
    while not any(isinstance(message, m.Beat) for message in came):
        came += link.receive(0.1)
    os.kill(far.calls[-1], signal.SIGSTOP)
    monkeypatch.setattr(connection, "SILENCE", 0.2)
    with pytest.raises(Cut, match="not a word for"):
        while True:
            link.receive(0.1)
    link.close()


def tell(command: bytes, identity: str = ID) -> m.Tell:
    return m.Tell(id=identity, command=command)


@pytest.mark.parametrize(
    "command",
    [b"", b"{", b'{"type":"Nothing"}', b'{"type":"Pause"}', b'{"type":"Pause","id":"../../x"}', b"[" * 60_000],
)
def test_what_is_no_command_is_refused_and_written_nowhere(run: RunFolder, command: bytes) -> None:
    with run.hold():
        assert deliver(run, tell(command)).startswith("not a command")
    assert list(run.inbox.iterdir()) == []


def test_a_command_that_comes_again_is_put_there_once(run: RunFolder) -> None:
    pause = tell(c.encode(c.Pause(id=ID)))
    assert "no living trainer" in deliver(run, pause)
    with run.hold():
        assert deliver(run, pause) == "" == deliver(run, pause)
        (path,) = inbox.waiting(run.inbox)
        path.unlink()
        with JournalWriter(run.journal) as journal:
            journal.append(started())
            journal.append(CommandAccepted(id=ID, command="Pause"))
        assert deliver(run, pause) == "" and not inbox.waiting(run.inbox)

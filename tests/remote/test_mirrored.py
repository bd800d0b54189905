"""A mirror from its first byte to its end, with the real far side: it grows, its link is cut, commands go there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core import commands as c
from core import events as e
from core.cache import cache_folder
from core.errors import UserError
from core.remote.address import Address
from core.remote.mirrored import mirrored
from core.run import inbox, link, moving
from core.run.folder import RunFile, RunFolder, reference
from core.run.media import Media
from core.view.linked import linked
from core.view.state import State
from core.view.summary import summarise
from tests.remote.far import Far, make_run, say, until
from tests.tui.runs import epochs, started

ORPHAN = """
import sys, time
from core.remote.address import Address
from core.remote.mirrored import mirrored
with mirrored(Address("far", None, sys.argv[1]), "", print):
    print("there", flush=True)
    time.sleep(100)
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = make_run(tmp_path / "far runs" / "demo")
    made.log.write_bytes(b"the worker's words\n")
    return made


@contextmanager
def mirror_of(run: RunFolder, undelivered: list[int] | None = None) -> Iterator[RunFolder]:
    left = undelivered if undelivered is not None else list[int]()
    with mirrored(Address("far", None, str(run.path)), "", left.append) as found:
        for number in (signal.SIGINT, signal.SIGHUP):  # of the terminal, which are for the console
            found.process.send_signal(number)
        yield found.run
    assert not found.root.exists() and found.process.returncode == 0


def same(run: RunFolder, mirror: RunFolder) -> bool:
    return run.journal.read_bytes() == mirror.journal.read_bytes()


def away(mirror: RunFolder) -> bool:
    known = link.read(mirror.path)
    return bool(known and known.away)


def test_a_run_that_has_ended_is_there_as_a_whole(far: Far, run: RunFolder) -> None:
    name = Media(run.media).keep(b"a picture")
    with mirror_of(run) as mirror:
        assert same(run, mirror) and mirror.run_file.read_bytes() == run.run_file.read_bytes()
        assert (mirror.media / name).read_bytes() == b"a picture"
        until(lambda: mirror.log.exists())
        assert mirror.log.read_bytes() == b"the worker's words\n"
        assert not mirror.alive()
        assert reference(mirror) == f"ssh://far{str(run.path).replace(' ', '%20')}"
        with pytest.raises(UserError, match="no living trainer; go on with it by: tui-trainer resume ssh://far/"):
            inbox.send(mirror, c.Pause())
    assert sorted(path.name for path in run.path.iterdir()) == [
        "checkpoints", "events.jsonl", "inbox", "media", "run.json", "worker.log",
    ]  # fmt: skip


def test_it_grows_and_goes_on_at_the_byte_it_had(far: Far, run: RunFolder) -> None:
    with run.hold(), mirror_of(run) as mirror:
        assert same(run, mirror) and mirror.alive()
        name = Media(run.media).keep(b"another picture")
        say(run, e.MessageLogged(text="one"))
        until(lambda: same(run, mirror))
        assert (mirror.media / name).exists(), "what the journal tells of comes before it"
        with run.journal.open("ab") as file:
            file.write(b'{"type":"MessageLogged","te')
        until(lambda: same(run, mirror))
        far.down(True)
        far.cut()
        until(lambda: away(mirror))
        with run.journal.open("ab") as file:
            file.write(b'xt":"whole"}\n')
        say(run, *(e.MessageLogged(text=f"line {number}") for number in range(400)))
        assert mirror.alive(), "a run is not lost because its link is"
        until(lambda: (known := link.read(mirror.path)) is not None and "No route to host" in known.why)
        far.down(False)
        until(lambda: same(run, mirror) and not away(mirror))
        assert len(far.calls) == 2
        assert "whole" in [message.text for message in summarise(mirror).messages]


def test_commands_arrive_under_their_own_ids_and_once(far: Far, run: RunFolder) -> None:
    undelivered = list[int]()
    with run.hold(), mirror_of(run, undelivered) as mirror:
        first = inbox.send(mirror, c.Pause())
        until(lambda: not inbox.waiting(mirror.inbox))
        far.down(True)
        far.cut()
        until(lambda: away(mirror))
        second = inbox.send(mirror, c.Remark(text="sent without a link"))
        far.down(False)
        until(lambda: not inbox.waiting(mirror.inbox))
        last = inbox.send(mirror, c.Stop())  # and left at once
    told = [inbox.read(path) for path in inbox.waiting(run.inbox)]
    assert [item.id for item in told if isinstance(item, c.Command)] == [first, second, last]
    assert undelivered == [0]


def test_what_cannot_be_delivered_is_said_at_the_end(far: Far, run: RunFolder) -> None:
    undelivered = list[int]()
    with run.hold(), mirror_of(run, undelivered) as mirror:
        far.down(True)
        far.cut()
        until(lambda: away(mirror))
        inbox.send(mirror, c.Stop())
    assert undelivered == [1] and not inbox.waiting(run.inbox)


def test_a_command_that_came_too_late_is_answered(far: Far, run: RunFolder) -> None:
    with mirror_of(run) as mirror:
        with mirror.hold():
            identity = inbox.send(mirror, c.Pause())  # as if it had ended at this moment
        until(lambda: bool((known := link.read(mirror.path)) and known.refused))
        (answer,) = linked(State(), mirror, 0.0).answers
        assert (answer.id, answer.command, answer.accepted) == (identity, "Pause", False)
        assert "no living trainer" in answer.text


def test_its_end_and_its_resume_are_seen(far: Far, run: RunFolder) -> None:
    with mirror_of(run) as mirror:
        assert not mirror.alive()
        with run.hold():
            until(mirror.alive)
        until(lambda: not mirror.alive())


def test_the_state_tells_of_the_link(far: Far, run: RunFolder) -> None:
    with run.hold(), mirror_of(run) as mirror:
        state = summarise(mirror)
        assert state.address == f"ssh://far{str(run.path).replace(' ', '%20')}" and not state.away
        far.down(True)
        far.cut()
        until(lambda: away(mirror))
        cut = linked(state, mirror, 0.0)
        assert cut.away and cut.messages[-1].text.startswith("no link: far: ")
        assert linked(cut, mirror, 0.0).messages[-1].text.startswith("no link: far: ")
        far.down(False)
        until(lambda: not away(mirror))
        back = linked(cut, mirror, cut.away + 12.0)
        assert (back.away, back.messages[-1].text) == (0.0, "the link is back after 12 s")
        assert linked(back, mirror, 0.0) is back


def test_another_run_in_its_place_is_not_mixed_with_it(far: Far, run: RunFolder) -> None:
    with run.hold(), mirror_of(run) as mirror:
        before = mirror.journal.read_bytes()
        far.down(True)
        far.cut()
        until(lambda: away(mirror))
        run.path.rename(run.path.with_name("moved"))
        run.create(RunFile(id="two", name="demo"))
        say(run, started(), *epochs(5))
        far.down(False)
        until(lambda: bool((known := link.read(mirror.path)) and "it is not the run that it was" in known.why))
        assert mirror.journal.read_bytes() == before


def test_a_deleted_run_is_said_to_be_gone(far: Far, run: RunFolder) -> None:
    with mirror_of(run) as mirror:
        moving.delete(run)
        until(lambda: bool((known := link.read(mirror.path)) and known.why))
        known = link.read(mirror.path)
        assert known and ("gone" in known.why or "not found" in known.why)


def test_nothing_is_left_of_one_whose_console_was_killed(far: Far, run: RunFolder) -> None:
    command = [sys.executable, "-c", ORPHAN, str(run.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "there\n"
        process.kill()
    until(lambda: not list((cache_folder() / "remote").iterdir()))
    until(lambda: not _lives(far.calls[-1]))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_is_not_to_be_had_is_one_error(far: Far, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def error(path: str, command: str = "") -> str:
        with pytest.raises(UserError) as raised, mirrored(Address("far", None, path), command, print):
            pass
        return str(raised.value)

    assert "far: run '/nowhere' not found in" in error("/nowhere")
    assert "say where it is: --remote-command" in error(str(run.path), "nonesuch")
    assert "does not greet" in error(str(run.path), "yes")
    assert error(str(run.path), "echo hello;").startswith("far: the far side has ended (status ")
    far.down(True)
    assert error(str(run.path)) == "far: ssh: connect to host far port 22: No route to host"
    monkeypatch.setenv("TUI_TRAINER_SSH", "/nowhere/ssh")
    assert "cannot be started: No such file or directory; install OpenSSH's client" in error(str(run.path))

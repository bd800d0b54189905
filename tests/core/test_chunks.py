"""A long journal read by two processes at once: always what one would have made of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.events import Event
from core.run.folder import RunFolder
from core.run.journal import read_all
from core.view import chunks
from core.view.cache import History
from core.view.chunks import CHUNK, LEAST, Frame
from core.view.fold import Told, fold, fold_told
from core.view.state import State
from tests.core import strategies as runs
from tests.tui import long_runs

START = History(0, State())


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = long_runs.make(tmp_path_factory.mktemp("runs") / "long", 40_000)
    assert run.journal.stat().st_size > LEAST + CHUNK
    return run


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch) -> list[Told]:
    """Those of the second process that were folded."""
    folded: list[Told] = []

    def noted(state: State, told: Told) -> State:
        folded.append(told)
        return fold_told(state, told)

    monkeypatch.setattr(chunks, "fold_told", noted)
    return folded


def shared(journal: Path) -> History:
    return [START, *chunks.share(journal, START)][-1]


def alone(journal: Path, end: int) -> State:
    """One fold of the journal's first bytes."""
    copy = journal.with_name("beginning.jsonl")
    copy.write_bytes(journal.read_bytes()[:end])
    return fold(State(), read_all(copy))


@settings(max_examples=100, deadline=None)
@given(runs.journals, st.data())
def test_what_events_come_to_is_the_same_through_the_wire(events: list[Event], data: st.DataObject) -> None:
    events = runs.numbered(events)
    cut = data.draw(st.integers(0, len(events)))
    wire = msgspec.msgpack.encode(chunks.frame(events[cut:]))
    told = chunks._received(msgspec.msgpack.decode(wire, type=Frame))
    assert repr(fold_told(fold(State(), events[:cut]), told)) == repr(fold(State(), events))  # a NaN equals no other


def test_two_processes_make_of_it_what_one_would(long_run: RunFolder, frames: list[Told]) -> None:
    found = shared(long_run.journal)
    assert long_run.journal.stat().st_size - found.offset <= 2 * CHUNK
    assert len(frames) >= 4
    assert found.state == alone(long_run.journal, found.offset)


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "printf '\\0\\0\\0\\5abcde'",
        "printf '\\377\\377\\377\\377'",
        "kill -9 $$",
        "printf '\\0\\0\\0\\1\\220'; exec sleep 60",
    ],
    ids=["fails", "no frame", "too large", "killed", "hangs after it"],
)
def test_without_the_second_process_the_first_reads_it_all(
    long_run: RunFolder, frames: list[Told], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    odd = tmp_path / "python"
    odd.write_text(f"#!/bin/sh\n{script}\n")
    odd.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(odd))
    found = shared(long_run.journal)
    assert not frames
    assert found.state == alone(long_run.journal, found.offset)


def doubled(lines: list[bytes]) -> Iterator[bytes]:
    """Everything said twice: the second time it is known."""
    yield from lines
    yield from lines


def shuffled(lines: list[bytes]) -> Iterator[bytes]:
    """Neighbours swapped, so that the later one is skipped."""
    for place in range(0, len(lines) - 1, 2):
        yield lines[place + 1]
        yield lines[place]


def spoilt(lines: list[bytes]) -> Iterator[bytes]:
    """Lines that are no events in between."""
    for place, line in enumerate(lines):
        yield line
        if place % 5000 == 0:
            yield b'{"type":"StepDo\n'


@pytest.mark.parametrize("odd", [doubled, shuffled, spoilt])
def test_a_journal_that_no_one_writer_wrote(long_run: RunFolder, tmp_path: Path, odd: object) -> None:
    journal = tmp_path / "events.jsonl"
    journal.write_bytes(b"".join(odd(long_run.journal.read_bytes().splitlines(keepends=True))))  # type: ignore[operator]
    found = shared(journal)
    assert found.offset
    assert found.state == alone(journal, found.offset)


def test_a_short_one_is_left_to_the_caller(tmp_path: Path) -> None:
    run = long_runs.make(tmp_path / "short", 100)
    assert shared(run.journal) is START
    assert shared(tmp_path / "none.jsonl") is START


def test_chunks_are_whole_lines_without_a_gap(long_run: RunFolder) -> None:
    end, data = long_run.journal.stat().st_size, long_run.journal.read_bytes()
    found = list(chunks.chunks(long_run.journal, 0, end))
    assert [start for start, _ in found] == [0, *(stop for _, stop in found[:-1])]
    assert all(data[stop - 1 : stop] == b"\n" and CHUNK <= stop - start < CHUNK + 2000 for start, stop in found)

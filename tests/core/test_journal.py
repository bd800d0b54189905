"""The journal: append-only, survives a torn tail, readers wait for whole lines, unknown events are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import events
from core.events import Heartbeat, MessageLogged, StepDone, Unknown
from core.run import journal
from core.run.journal import JournalReader, JournalWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def write(path: Path, *texts: str) -> None:
    with JournalWriter(path) as writer:
        for text in texts:
            writer.append(MessageLogged(text=text))


def texts(path: Path) -> list[str]:
    return [event.text for event in journal.read_all(path) if isinstance(event, MessageLogged)]


def test_events_come_back_with_their_place_and_time(path: Path) -> None:
    write(path, "a", "b")
    write(path, "c")
    read = journal.read_all(path)
    assert [event.seq for event in read] == [0, 1, 2]
    assert all(event.time > 1e9 for event in read)
    assert texts(path) == ["a", "b", "c"]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_after_a_torn_tail_the_next_writer_begins_a_new_line(path: Path, cut: int) -> None:
    write(path, "a", "b")
    path.write_bytes(path.read_bytes()[:-cut])
    write(path, "c")
    reader = JournalReader(path)
    found = [event.text for event in reader.read() if isinstance(event, MessageLogged)]
    assert found == (["a", "b", "c"] if cut == 1 else ["a", "c"])
    assert reader.broken == (0 if cut == 1 else 1)


def test_a_reader_keeps_half_a_line_back_until_it_is_whole(path: Path) -> None:
    line = events.encode(MessageLogged(text="whole")) + b"\n"
    path.write_bytes(line[:20])
    reader = JournalReader(path)
    assert reader.read() == []
    path.write_bytes(line)
    assert [event.text for event in reader.read() if isinstance(event, MessageLogged)] == ["whole"]
    assert reader.broken == 0


def test_slices_of_any_size_give_the_same_events(path: Path) -> None:
    write(path, *map(str, range(200)))
    for limit in (1, 7, 100, 1 << 20):
        reader, found = JournalReader(path), []
        while not reader.at_end:
            found += reader.read(limit)
        assert len(found) == 200 and reader.broken == 0


def test_an_event_of_a_later_version_is_kept_as_it_stood(path: Path) -> None:
    line = b'{"type":"MoonPhase","time":5.0,"seq":3,"phase":"full"}'
    path.write_bytes(line + b"\n")
    (event,) = journal.read_all(path)
    assert isinstance(event, Unknown)
    assert (event.kind, event.seq, events.encode(event)) == ("MoonPhase", 3, line)


def test_a_known_event_with_a_field_of_a_later_version_still_reads(path: Path) -> None:
    path.write_bytes(b'{"type":"Heartbeat","step":4,"mood":"good"}\n')
    assert journal.read_all(path) == [Heartbeat(step=4)]


@pytest.mark.parametrize("rubbish", [b"", b"null", b"[]", b"{}", b"\x00" * 40, b"[" * 100_000, b'{"type":5}', b"\xff\xfe"])
def test_rubbish_between_events_is_skipped(path: Path, rubbish: bytes) -> None:
    line = events.encode(MessageLogged(text="good")) + b"\n"
    path.write_bytes(line + rubbish + b"\n" + line)
    assert texts(path) == ["good", "good"]


def test_an_endless_line_does_not_fill_the_memory(path: Path) -> None:
    path.write_bytes(b"x" * (journal.LONGEST_LINE + (1 << 20)) + b"\n" + events.encode(MessageLogged(text="after")) + b"\n")
    assert texts(path) == ["after"]


def test_diverged_values_go_through_the_wire_and_back() -> None:
    for value in (float("nan"), float("inf"), float("-inf"), 1.5):
        event = StepDone(metrics={"train.loss": events.from_number(value)})
        back = events.decode(events.encode(event))
        assert isinstance(back, StepDone)
        assert repr(events.to_number(back.metrics["train.loss"])) == repr(value)


def test_find_picks_out_kinds_without_the_others(path: Path) -> None:
    with JournalWriter(path) as writer:
        for step in range(50):
            writer.append(Heartbeat(step=step))
            writer.append(MessageLogged(text=f'"type":"Heartbeat" {step}'))
    found = journal.find(path, Heartbeat)
    assert [event.step for event in found] == list(range(50))

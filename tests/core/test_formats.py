"""Files of a later version: a run is refused as a whole, one checkpoint counts as damaged, a journal is read as far as it is
understood. And journals of earlier versions."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import checkpoint, events
from core.checkpoint import WEIGHTS, Damaged
from core.errors import UserError
from core.events import Event, MessageLogged, RunFinished, RunResumed, Unknown
from core.run import journal, session
from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.run.options import Options
from core.run.repair import repair
from core.run.signals import Signals
from core.run.verify import verify
from core.run.work import Session
from core.training import weights_file
from core.view.fold import fold
from core.view.state import State
from core.view.summary import summarise

JOURNALS = sorted((Path(__file__).parent.parent / "journals").glob("*.jsonl"))
LATER_LINES = (
    b'{"type":"MoonPhase","phase":"full","crater":[1,{"depth":2.5}]}',
    b'{"type":"MessageLogged","level":"fatal","text":"a level that is not known yet"}',
    b'{"type":"StepDone","step":"by another name"}',
)


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    table = json.loads(path.read_bytes())
    change(table)
    path.write_text(json.dumps(table))


def later(table: dict[str, Any]) -> None:
    table["format"] = 2


def contents(run: RunFolder) -> dict[str, bytes]:
    return {str(path.relative_to(run.path)): path.read_bytes() for path in sorted(run.path.rglob("*")) if path.is_file()}


def later_state(place: Path) -> None:
    """In a checkpoint whose manifest fits."""
    rewrite(place / "state.json", later)
    data = (place / "state.json").read_bytes()
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    rewrite(place / checkpoint.MANIFEST, lambda table: table["files"].update({"state.json": entry}))


def later_manifest(place: Path) -> None:
    rewrite(place / checkpoint.MANIFEST, later)


def go_on(run: RunFolder) -> int:
    with run.hold():
        return Session(run, Options(threads=1, epochs=3), Signals()).work()


@pytest.mark.parametrize("further", [{}, {"recipe": ["of", "another", "kind"], "id": 7}], ids=["alike", "of other types"])
def test_a_run_of_a_later_version_is_refused_in_one_line_and_nothing_is_touched(
    copied_run: RunFolder, further: dict[str, Any]
) -> None:
    run = copied_run
    rewrite(run.run_file, lambda table: table.update(further, format=2))
    later_manifest(checkpoint.listing(run.checkpoints)[-1])
    before = contents(run)
    words = r"run\.json: it has format 2, and this version .* knows none after 1; update tui-trainer"
    for refusing in (run.read, lambda: session.start(run), lambda: repair(run)):
        with pytest.raises(UserError, match=words):
            refusing()
    process = subprocess.run([*session.WORKER, str(run.path)], capture_output=True, text=True, check=False)
    assert process.returncode == 2 and re.search(words, process.stderr) and len(process.stderr.splitlines()) == 1
    assert contents(run) == before
    assert summarise(run).status == "finished"
    assert next(item.item for item in verify(run) if not item.good) == "run.json"


@pytest.mark.parametrize("make_later", [later_manifest, later_state])
def test_a_checkpoint_of_a_later_version_alone_counts_as_damaged(
    copied_run: RunFolder, make_later: Callable[[Path], None]
) -> None:
    *_, before, newest = checkpoint.listing(copied_run.checkpoints)
    make_later(newest)
    assert go_on(copied_run) == 0
    (resumed,) = journal.find(copied_run.journal, RunResumed)
    assert resumed.checkpoint == before.name
    (warning,) = [event.text for event in journal.find(copied_run.journal, MessageLogged) if event.level == "warning"]
    assert "it has format 2" in warning and f"set aside as bad-{newest.name}" in warning


def test_weights_of_a_later_version_say_so(copied_run: RunFolder) -> None:
    data = (checkpoint.listing(copied_run.checkpoints)[-1] / WEIGHTS).read_bytes()
    changed = data.replace(rb"{\"format\":1,", rb"{\"format\":2,")
    assert changed != data
    with pytest.raises(Damaged, match="it has format 2"):
        weights_file.read_weights(changed)


def with_later_lines(data: bytes) -> bytes:
    """A line that this version does not know after every line, and in every line a field that it does not know."""
    lines = []
    for number, line in enumerate(data.splitlines()):
        lines += [line.replace(b'{"type"', b'{"mood":{"good":[true]},"type"', 1), LATER_LINES[number % len(LATER_LINES)]]
    return b"\n".join(lines) + b"\n"


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_a_journal_of_a_later_version_folds_as_if_it_said_nothing_new(path: Path, tmp_path: Path) -> None:
    whole = b"".join(line + b"\n" for line in path.read_bytes().splitlines() if line.endswith(b"}"))
    later, now = tmp_path / "later.jsonl", tmp_path / "now.jsonl"
    later.write_bytes(with_later_lines(whole))
    now.write_bytes(whole)
    found = journal.read_all(later)
    assert sum(isinstance(event, Unknown) for event in found) == len(found) // 2
    assert fold(State(), found) == fold(State(), journal.read_all(now))
    kept = [events.encode(event) for event in found if isinstance(event, Unknown)]
    assert kept == [line for line in later.read_bytes().splitlines() if line in LATER_LINES]


def test_a_run_goes_on_below_what_a_later_version_has_said(copied_run: RunFolder) -> None:
    run = copied_run
    run.journal.write_bytes(with_later_lines(run.journal.read_bytes()))
    before = run.journal.read_bytes()
    assert go_on(run) == 0
    assert run.journal.read_bytes().startswith(before)
    assert [event.epoch for event in journal.find(run.journal, RunFinished)] == [2, 3]


def fields_of(path: Path) -> set[str]:
    return {name for line in path.read_bytes().splitlines() if line.endswith(b"}") for name in json.loads(line)} - {"type"}


def without(line: bytes, field: str) -> bytes:
    return json.dumps({name: value for name, value in json.loads(line).items() if name != field}).encode()


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_a_journal_of_before_a_field_was_there_opens(path: Path, tmp_path: Path) -> None:
    lines = [line for line in path.read_bytes().splitlines() if line.endswith(b"}")]
    earlier = tmp_path / "earlier.jsonl"
    for field in sorted(fields_of(path)):
        earlier.write_bytes(b"".join(without(line, field) + b"\n" for line in lines))
        reader, found = JournalReader(earlier), list[Event]()
        while not reader.at_end:
            found += reader.read()
        assert (len(found), reader.broken) == (len(lines), 0)
        assert not any(isinstance(event, Unknown) for event in found)
        status = fold(State(), journal.read_all(path)).status
        assert fold(State(), found).status == ("finished" if field == "early" else status)

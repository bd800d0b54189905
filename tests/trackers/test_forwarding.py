"""A run given to a tracker: everything once, whatever comes between; what was taken back is not there in the end."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest
from msgspec.structs import replace

from core import events as e
from core.errors import UserError
from core.events import Event
from core.run import journal
from core.run.folder import RunFolder
from core.view import scalars
from tests.trackers.conftest import left, steps, told
from tests.tui import runs as made
from tui_trainer.forwarding import following, forwarder
from tui_trainer.forwarding.following import Logged, Logging
from tui_trainer.forwarding.translator import Translator
from tui_trainer.trackers import Wanted
from tui_trainer.trackers._base import Point

JOURNALS = Path(__file__).parents[1] / "journals"

pytestmark = pytest.mark.usefixtures("lines")


def log(run: RunFolder, anew: bool = False) -> Logged:
    return Logging(run, Wanted("lines")).once(anew)


def recorded(folder: Path, name: str) -> RunFolder:
    """A journal of a real run."""
    run = made.make(folder / "runs", name, [])
    shutil.copy(JOURNALS / f"{name}.jsonl", run.journal)
    return run


@pytest.mark.parametrize("name", sorted(path.stem for path in JOURNALS.glob("*.jsonl")))
def test_every_scalar_that_holds_is_told_once(tmp_path: Path, name: str) -> None:
    run = recorded(tmp_path, name)
    log(run)
    rows = list(scalars.rows(run.journal, scalars.survey(run.journal)))
    expected = {
        "train/loss": [row.step for row in rows if row.kind == "step"],
        "val/loss": [row.step for row in rows if row.kind == "validation"],
        "test/loss": [row.step for row in rows if row.kind == "test"],
        "epoch/train_loss": [row.step for row in rows if row.kind == "epoch"],
    }
    assert {scalar: steps(run, scalar) for scalar in expected} == expected
    assert expected["train/loss"] and not told(run, "taken_back")
    assert [line["step"] for line in told(run, "confusion")] == expected["val/loss"] + expected["test/loss"]
    kinds = [line["what"] for line in told(run)]
    assert (kinds[0], kinds[-3:]) == ("begin", ["ended", "flush", "close"])


def test_values_times_and_classes_are_those_of_the_journal(tmp_path: Path) -> None:
    run = recorded(tmp_path, "healthy")
    log(run)
    first, measured = journal.find(run.journal, e.StepDone)[0], journal.find(run.journal, e.ValidationDone)[0]
    point = next(line for line in told(run, "point") if "train/loss" in line["values"])
    assert (point["seq"], point["step"], point["time"], point["epoch"]) == (first.seq, first.step, first.time, 1)
    assert point["values"]["train/loss"] == first.metrics["train.loss"]
    table = told(run, "confusion")[0]
    assert (table["split"], table["classes"][0], table["time"]) == ("val", "airplane", measured.time)
    assert table["counts"] == [list(row) for row in measured.confusion]
    (end,) = told(run, "ended")
    assert end["status"] == "finished" and end["metrics"]["test/accuracy"] > 0 and end["best"]["best/val_loss"] > 0


@pytest.mark.parametrize("replaces", [True, False])
def test_what_has_been_told_is_not_told_again(tmp_path: Path, replaces: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every cut of a journal that grows."""
    if replaces:
        monkeypatch.setenv("LINES_REPLACES", "1")
    run, whole = recorded(tmp_path, "healthy"), (JOURNALS / "healthy.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    for number in range(1, len(lines) + 1):
        run.journal.write_bytes(b"".join(lines[:number]))
        log(run)
    once = made.make(tmp_path / "runs", "once", [])
    once.journal.write_bytes(whole)
    log(once)
    for name in ("train/loss", "val/loss", "test/loss", "epoch/train_loss"):
        assert left(run, name, replaces) == left(once, name) == steps(once, name)
    if not replaces:
        assert steps(run) == steps(once)
    assert {line["known"] for line in told(run, "begin")} == {"", "lines-1"}


def test_nothing_new_is_no_beginning(tmp_path: Path) -> None:
    run = recorded(tmp_path, "healthy")
    assert log(run).points == len(told(run, "point"))
    assert log(run).points == 0 and len(told(run, "begin")) == 1
    assert log(run, anew=True).points > 0
    assert [(line["known"], line["step"]) for line in told(run, "begin")] == [("", 0), ("", 0)]


def resumed_at(step: int) -> e.RunResumed:
    fields = {name: getattr(made.started(), name) for name in e.SessionStart.__struct_fields__ if name not in ("time", "seq")}
    return e.RunResumed(**fields, step=step, epoch=step // made.STEPS + 1, checkpoint=f"step-{step:08d}")


@pytest.mark.parametrize("replaces", [True, False])
@pytest.mark.parametrize(
    "cut", [resumed_at(50), resumed_at(100), e.RunRewound(step=100, epoch=2, checkpoint="step-00000100"), e.RunStarted()]
)
def test_what_is_taken_back_later_is_told(tmp_path: Path, cut: Event, replaces: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """After it has been told, so that the tool has it."""
    if replaces:
        monkeypatch.setenv("LINES_REPLACES", "1")
    before = [made.started(), *made.epochs(1), *made.training(2, 60)]
    run = made.make(tmp_path / "runs", "demo", before)
    log(run)
    assert left(run, replaces=replaces)[-1] == 160
    back = getattr(cut, "step", 0)
    made.say(run, [cut])
    log(run)
    assert told(run, "taken_back") == [{"what": "taken_back", "step": back, "rewinds": 1}]
    assert left(run, replaces=replaces) == [step for step in range(10, 161, 10) if step <= back]
    made.say(run, [*made.training(2, 30), *made.epochs(1)])
    log(run)
    assert left(run, "val/loss", replaces)[-1] == 100
    assert len(told(run, "taken_back")) == 1 and told(run, "begin")[-1]["rewinds"] == 1
    assert left(run, replaces=replaces) == [
        row.step for row in scalars.rows(run.journal, scalars.survey(run.journal)) if row.kind == "step"
    ]


def test_what_is_taken_back_already_is_never_told(tmp_path: Path) -> None:
    run = made.make(tmp_path / "runs", "demo", made.resumed())
    log(run)
    assert steps(run) == [*range(10, 701, 10), *range(710, 731, 10)]
    assert not told(run, "taken_back")


def test_a_measurement_that_was_taken_back_while_it_was_followed_is_told_anew(tmp_path: Path) -> None:
    """By one that has read it before."""
    before = [made.started(), *made.epochs(1)]
    run = made.make(tmp_path / "runs", "demo", before)
    translator = Translator([])
    for _ in range(2):
        points = [item for item in translator.told(journal.read_all(run.journal)) if isinstance(item, Point)]
        assert [point.step for point in points if "val/loss" in point.values] == [100]
        made.say(run, [e.RunRewound(step=50, epoch=1), made.validation(1)])


def test_a_measurement_that_is_made_again_stays_one(tmp_path: Path) -> None:
    """After a kill between it and its checkpoint."""
    measured = made.validation(1)
    told_twice = [made.started(), *made.training(1), measured, replace(resumed_at(100)), measured, *made.training(2)]
    run = made.make(tmp_path / "runs", "demo", told_twice)
    log(run)
    assert steps(run, "val/loss") == [100] and len(told(run, "confusion")) == 1


def test_a_tool_that_fails_gets_later_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small slices, so that some have come through."""
    monkeypatch.setattr(forwarder, "SLICE", 2048)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINES_FAIL_AT", "300")
    run = made.make(tmp_path / "runs", "demo", made.early_stopped())
    with pytest.raises(Exception, match=r"lines failed: .*No space left.*tui-trainer log .*demo --to lines"):
        log(run)
    assert 100 < steps(run)[-1] < 300 and told(run)[-1] == {"what": "close"}
    (tmp_path / "mended").touch()
    log(run)
    rows = scalars.rows(run.journal, scalars.survey(run.journal))
    assert sorted(set(steps(run))) == [row.step for row in rows if row.kind == "step"]
    assert told(run, "begin")[-1]["known"] == "lines-1"


def test_a_tool_that_keeps_nothing_is_given_up_once_the_run_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much it takes before it fails."""
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.0)
    monkeypatch.setenv("LINES_KEEP_NOTHING", "1")
    run = recorded(tmp_path, "healthy")
    with pytest.raises(UserError, match=r"lines failed: .*No space left"):
        Logging(run, Wanted("lines")).follow(lambda words: None)
    assert len(told(run, "begin")) == following.LAST_TRIES + 1


def test_a_run_that_cannot_be_described_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINES_ARE_NOT_DESCRIBED", "1")
    run = recorded(tmp_path, "healthy")
    for _ in range(2):
        with pytest.raises(UserError, match="lines failed"):
            log(run)
    (tmp_path / "mended").touch()
    log(run)
    assert [line["known"] for line in told(run, "begin")] == ["", "lines-1", "lines-1"] and len(told(run, "described")) == 1
    made.say(run, [e.RunResumed(step=0)])
    log(run)
    assert len(told(run, "described")) == 1


@pytest.mark.parametrize("replaces", [True, False])
def test_a_point_counts_once_however_often_it_is_told(tmp_path: Path, replaces: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINES_FAIL_AT", "300")
    if replaces:
        monkeypatch.setenv("LINES_REPLACES", "1")
    run = made.make(tmp_path / "runs", "demo", made.early_stopped())
    done = Logging(run, Wanted("lines")).follow(lambda words: (tmp_path / "mended").touch())
    points = [line["seq"] for line in told(run, "point")]
    assert done.points == len(set(points)) < len(points)


def numbers(metrics: dict[str, e.Number], **fields: float) -> list[Event]:
    return [made.started(), e.StepDone(step=1, epoch=1, metrics=metrics, **fields)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("train.loss", "train/loss"), ("train.a.b", "train/a.b"), ("../../etc/passwd", "etc/passwd"), ("/root", "root"),
        ("..", "_"), ("", "_"), ("a\x1b[31m\nb", "a__31m_b"), ("val.Größe", "val/Größe"), ("x" * 10_000, "x" * 120),
        ("./.", "_"), ("a//b", "a/b"),
    ],
)  # fmt: skip
def test_names_lead_nowhere_and_are_short(tmp_path: Path, name: str, safe: str) -> None:
    run = made.make(tmp_path / "runs", "demo", numbers({name: 1.0}))
    log(run)
    assert [list(line["values"]) for line in told(run, "point")] == [[safe]]


def test_a_hostile_journal_tells_little_and_nothing_odd(tmp_path: Path) -> None:
    wild: list[Event] = [
        made.started(classes=("\x1b[31mred" * 500, "b")),
        *(e.StepDone(step=n, metrics={f"train.{n}-{k}": 1.0 for k in range(50)}) for n in range(100)),
        e.StepDone(step=-5, epoch=-1, metrics={"train.loss": "nan"}),
        e.ValidationDone(step=101, confusion=((1, 2), (3,)), metrics={}),
        e.ValidationDone(step=102, confusion=((1, -2), (3, 4)), metrics={}),
        e.ValidationDone(step=103, confusion=((1,) * 65,) * 65, metrics={}),
        e.DeviceSampled(cpu_percent=math.pi),
    ]
    run = made.make(tmp_path / "runs", "demo", wild)
    path = run.journal
    path.write_bytes(path.read_bytes().replace(b'"time":174', b'"time":1e300,"x":174'))
    run.run_file.write_text(json.dumps({
        "name": "x", "created": -1e300, "versions": {"../a": "\x1b" * 9000},
        "recipe": {"a": {"b": {"c": None}}, "../k": ["\x1b"], "t": "y" * 9000, **{str(k): k for k in range(2000)}},
    }))  # fmt: skip
    log(run)
    names = {name for line in told(run, "point") for name in line["values"]}
    assert len(names) <= 256 and min(line["step"] for line in told(run, "point")) >= 0
    assert {line["time"] for line in told(run, "point")} == {1 << 33}
    (table,) = told(run, "confusion")
    assert table["counts"] == [[1, 0], [3, 4]] and len(table["classes"][0]) < 3000 and "\x1b" not in table["classes"][0]
    settings = told(run, "begin")[0]["settings"]
    assert len(settings) == 500 and "\x1b" not in str(settings) and len(settings["t"]) == 500 and "k" in settings


@pytest.mark.parametrize(
    "bytes_there", [b"", b"{", b"[]", b'{"place":"elsewhere","seq":99}', b'{"seq":"x"}', b"\xff" * 100_000]
)
def test_a_place_file_that_is_none_means_the_beginning(tmp_path: Path, bytes_there: bytes) -> None:
    run = recorded(tmp_path, "healthy")
    first = log(run)
    (file,) = (run.path / "trackers").glob("*.json")
    file.write_bytes(bytes_there)
    assert log(run).points == first.points > 0


def test_a_copied_run_is_another_one(tmp_path: Path) -> None:
    run = recorded(tmp_path, "healthy")
    log(run)
    shutil.copytree(run.path, run.path.with_name("copy"))
    copy = RunFolder(run.path.with_name("copy"))
    (copy.path / "lines.jsonl").unlink()
    log(copy)
    assert told(copy, "begin")[0]["known"] == "" and steps(copy) == steps(run)


def test_nothing_is_written_through_links(tmp_path: Path) -> None:
    run = recorded(tmp_path, "healthy")
    (tmp_path / "elsewhere").mkdir()
    (run.path / "trackers").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="a link, where a folder was expected"):
        log(run)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_run_of_a_program_of_its_own(tmp_path: Path) -> None:
    run = made.make(tmp_path / "runs", "own", [e.RunStarted(program="mine.py"), e.StepDone(step=3, metrics={"train.x": 1.0})])
    table = json.loads(run.run_file.read_bytes()) | {"program": "mine.py", "config": {"width": 64, "deep": {"er": [1, 2]}}}
    run.run_file.write_text(json.dumps(table))
    log(run)
    assert told(run, "begin")[0]["settings"] == {"width": 64, "deep.er": "[1,2]"}
    assert steps(run, "train/x") == [3]


def events(number: int) -> Iterable[Event]:
    return (e.StepDone(step=step, metrics={"train.loss": 1.0}) for step in range(1, number + 1))


def test_memory_is_bounded_by_slices(tmp_path: Path) -> None:
    run = made.make(tmp_path / "runs", "demo", [made.started(), *events(6000)])
    log(run)
    kinds = [line["what"] for line in told(run, "point", "flush")]
    sizes = [len(list(points)) for kind, points in groupby(kinds) if kind == "point"]
    assert max(sizes) < 4000 and sum(sizes) == 6000

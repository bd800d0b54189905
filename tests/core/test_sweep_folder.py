"""A sweep on disk: its files, its names, its one conductor; and what its trials come to."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from core.errors import UserError
from core.run.folder import Taken, list_runs
from core.sweep import beginning
from core.sweep.folder import (
    SweepFile,
    SweepFolder,
    check_sweep_name,
    find,
    free_sweep_name,
    list_sweeps,
    reference,
    trial_name,
)
from core.sweep.space import Range
from core.sweep.trials import Board, Trial, best, best_so_far, ended

FILE = SweepFile(
    name="lr", recipe={"name": "quickstart"}, space={"optimizer.lr": Range(1e-4, 1e-1, True)}, metric="val.loss", trials=9
)
VALUES = (3.0, None, 1.0, 2.0, 1.0, 0.5)
STATES = ("finished", "failed", "finished", "finished", "finished", "pruned")


def trials() -> tuple[Trial, ...]:
    return tuple(
        Trial(number=place, value=value, state=state)  # type: ignore[arg-type]
        for place, (value, state) in enumerate(zip(VALUES, STATES, strict=True), 1)
    )


@pytest.fixture
def sweep(tmp_path: Path) -> SweepFolder:
    made = SweepFolder(tmp_path / "lr.sweep")
    made.create(FILE)
    return made


def test_it_is_for_its_owner_alone_and_no_run(sweep: SweepFolder) -> None:
    sweep.write_board(Board(trials=trials()))
    assert (sweep.path.stat().st_mode & 0o777, sweep.file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert (sweep.read(), sweep.read_board().trials) == (FILE, trials())
    assert list_runs(sweep.runs) == [] and [item.name for item in list_sweeps(sweep.runs)] == ["lr"]
    with pytest.raises(Taken, match="exists already"):
        sweep.create(FILE)


def test_one_process_conducts_it(sweep: SweepFolder) -> None:
    sweep.write_board(Board(trials=(Trial(),)))
    assert sweep.read_board().trials[0].state == "interrupted"
    with sweep.hold():
        assert sweep.alive() and sweep.read_board().trials[0].state == "running"
        with pytest.raises(UserError, match="'lr' is under way in another process"), sweep.hold():
            pass
    assert not sweep.alive()


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"trials": [{"number": "x"}]}', b'{"space": {"a": {"kind": "x"}}}', b"\xff"]
)
def test_damaged_files_are_told_or_are_empty(sweep: SweepFolder, data: bytes) -> None:
    sweep.board.write_bytes(data)
    assert sweep.read_board().trials == ()
    sweep.file.write_bytes(data)
    with pytest.raises(UserError, match=r"sweep\.json: damaged"):
        sweep.read()


def test_of_a_later_version(sweep: SweepFolder) -> None:
    sweep.file.write_bytes(msgspec.json.encode(replace(FILE, format=99)))
    with pytest.raises(UserError, match="update tui-trainer to use this sweep"):
        sweep.read()


def test_how_one_is_found(sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lr", "last", str(sweep.path)):
        assert find(name, sweep.runs).path == sweep.path
    with pytest.raises(UserError, match=r"sweep 'rl' not found in .*; the sweeps there: lr"):
        find("rl", sweep.runs)
    with pytest.raises(UserError, match=r"no sweeps in .*; begin one with: tui-trainer sweep"):
        find("last", sweep.runs / "elsewhere")
    assert reference(sweep) == str(sweep.path)
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(sweep.runs))
    assert reference(sweep) == "lr"


@pytest.mark.parametrize("name", ["", "a b", "../x", "last", "x" * 33, "\x1b[31m"])
def test_a_name_that_is_no_tag_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="--name"):
        check_sweep_name(name)


def test_a_free_name_is_neither_a_sweep_nor_the_name_of_runs(tmp_path: Path) -> None:
    assert free_sweep_name("quickstart", tmp_path) == "quickstart-sweep"
    SweepFolder(tmp_path / "quickstart-sweep.sweep").create(FILE)
    (tmp_path / trial_name("quickstart-sweep-2", 1)).mkdir()
    assert free_sweep_name("quickstart", tmp_path) == "quickstart-sweep-3"
    assert check_sweep_name(free_sweep_name("ä" * 80 + "b" * 80, tmp_path))


def test_the_best_is_the_first_of_the_finished_ones() -> None:
    lowest, highest = best(trials(), "val.loss"), best(trials(), "val.accuracy")
    assert lowest and highest and (lowest.number, highest.number) == (3, 1)
    assert best((), "val.loss") is None and best(trials()[1:2], "val.loss") is None
    assert best_so_far(trials(), "val.loss") == [(1, 3.0), (3, 1.0), (4, 1.0), (5, 1.0)]
    assert ended(trials()) == 6 and ended((Trial(),)) == 0


def test_the_same_call_goes_on_with_what_is_not_through(sweep: SweepFolder) -> None:
    wanted = replace(FILE, name="", created=0.0)
    again, file = beginning.begun(wanted, None, sweep.runs)
    assert (again.path, file) == (sweep.path, FILE)
    sweep.write_board(Board(trials=tuple(replace(trial, state="failed") for trial in (Trial(),) * 9)))
    fresh, file = beginning.begun(wanted, None, sweep.runs)
    assert (fresh.name, file.name, file.trials) == ("quickstart-sweep", "quickstart-sweep", 9)


def test_more_trials_for_the_same_name_and_another_search_refused(sweep: SweepFolder) -> None:
    found, file = beginning.begun(replace(FILE, trials=30), "lr", sweep.runs)
    assert (found.path, file.trials, sweep.read().trials) == (sweep.path, 30, 30)
    other = replace(FILE, seed=3, space={"optimizer.lr": Range(1e-3, 1e-1, True), "batch_size": Range(8, 64, whole=True)})
    with pytest.raises(UserError) as told:
        beginning.begun(other, "lr", sweep.runs)
    words = (
        "seed 0, not 3",
        "optimizer.lr 0.0001 to 0.1, logarithmic, not 0.001 to 0.1",
        "batch_size not searched, not 8 to 64",
    )
    assert all(word in str(told.value) for word in words) and "choose another --name" in str(told.value)


def test_runs_that_have_its_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine-001").mkdir()
    with pytest.raises(UserError, match="there is a run mine-001 already"):
        beginning.begun(FILE, "mine", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine-001"]


def test_one_that_is_not_under_way_cannot_be_asked_to_stop(sweep: SweepFolder) -> None:
    with pytest.raises(UserError, match="sweep 'lr' is not under way; go on with it by"):
        sweep.ask_to_stop()
    with sweep.hold():
        sweep.ask_to_stop()
        sweep.ask_to_stop()
    assert sweep.stop.stat().st_mode & 0o777 == 0o600

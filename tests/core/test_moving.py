"""Runs that get another name, go to the trash and come back: never one that is trained, never over another."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.run import moving
from core.run.folder import RunFile, RunFolder, Taken, list_runs
from core.run.journal import JournalReader
from core.run.moving import Trash
from core.run.resume import check_journal
from tests.tui import runs as made


def run_in(runs: Path, name: str) -> RunFolder:
    run = RunFolder(runs / name)
    run.create(RunFile(name=name, id=name))
    return run


def names(runs: Path) -> set[str]:
    return {run.name for run in list_runs(runs)}


def test_a_renamed_run_is_the_same_run(tmp_path: Path) -> None:
    before = made.make(tmp_path, "old", [made.started()])
    reader = JournalReader(before.journal)
    assert reader.read()
    with before.journal.open("rb") as still_open:
        after = moving.rename(before, "new")
        assert still_open.read() == after.journal.read_bytes()
    assert names(tmp_path) == {"new"} and after.path == tmp_path / "new"
    assert reader.read() == [] and reader.at_end and reader.trouble is None
    assert after.read().name == "old"  # as its journal and its checkpoints say
    with after.hold():
        assert after.alive()


def test_a_renamed_run_can_be_resumed(tmp_path: Path) -> None:
    run = made.make(tmp_path, "demo", made.stopped())
    check_journal(moving.rename(run, "other"))


@pytest.mark.parametrize("name", ["", "a b", "../x", "last", ".hidden", "x" * 101, "\x1b[31m"])
def test_a_name_that_may_not_be_is_refused(tmp_path: Path, name: str) -> None:
    run = run_in(tmp_path, "demo")
    with pytest.raises(UserError, match="expected 1 to 100 letters"):
        moving.rename(run, name)
    assert names(tmp_path) == {"demo"}


@pytest.mark.parametrize("taken", ["run", "empty", "file"])
def test_a_name_that_is_taken_is_refused(tmp_path: Path, taken: str) -> None:
    run, other = run_in(tmp_path, "demo"), tmp_path / "other"
    if taken == "run":
        run_in(tmp_path, "other")
    else:
        other.mkdir() if taken == "empty" else other.touch()
    with pytest.raises(Taken, match="exists already"):
        moving.rename(run, "other")
    assert run.exists() and other.exists()


def test_a_run_that_is_trained_stays_where_it_is(tmp_path: Path) -> None:
    run = run_in(tmp_path, "demo")
    with run.hold():
        with pytest.raises(UserError, match="is being trained and cannot be renamed; end it with: tui-trainer stop"):
            moving.rename(run, "other")
        with pytest.raises(UserError, match="cannot be deleted"):
            moving.delete(run)
    assert names(tmp_path) == {"demo"} and not (tmp_path / moving.TRASH).exists()


def test_the_last_deletion_comes_back_first_and_the_trash_is_in_no_list(tmp_path: Path) -> None:
    trash = Trash(tmp_path)
    for name in ("a", "b"):
        trash.delete(run_in(tmp_path, name))
    assert names(tmp_path) == set() and (tmp_path / moving.TRASH).stat().st_mode & 0o777 == 0o700
    for name in ("b", "a"):
        back = trash.bring_back()
        assert back and (back[0], back[1].name) == (name, name)
    assert trash.bring_back() is None and names(tmp_path) == {"a", "b"}
    assert not (tmp_path / moving.TRASH).exists()


def test_one_whose_name_is_taken_by_now_comes_back_under_another(tmp_path: Path) -> None:
    trash, run = Trash(tmp_path), run_in(tmp_path, "demo")
    trash.delete(run)
    run_in(tmp_path, "demo")
    back = trash.bring_back()
    assert back and back[0] == "demo" and back[1].name == "demo-2" and back[1].read().id == "demo"


def test_a_process_removes_for_good_only_what_it_deleted_itself(tmp_path: Path) -> None:
    killed, present = Trash(tmp_path), Trash(tmp_path)
    killed.delete(run_in(tmp_path, "theirs"))
    for name in ("a", "b"):
        present.delete(run_in(tmp_path, name))
    assert [item.name for item in present.left] == ["theirs"]
    assert present.empty() == 2
    assert [item.name for item in moving.in_trash(tmp_path)] == ["theirs"]
    back = present.bring_back()
    assert back and back[1].name == "theirs" and killed.empty() == 0


def test_of_a_link_only_the_link_is_deleted(tmp_path: Path) -> None:
    elsewhere, runs, trash = run_in(tmp_path / "elsewhere", "demo"), tmp_path / "runs", Trash(tmp_path / "runs")
    runs.mkdir()
    (runs / "demo").symlink_to(elsewhere.path)
    trash.delete(RunFolder(runs / "demo"))
    assert names(runs) == set() and trash.empty() == 1
    assert elsewhere.exists() and not (runs / moving.TRASH).exists()


def test_a_trash_that_leads_elsewhere_takes_nothing(tmp_path: Path) -> None:
    run = run_in(tmp_path / "runs", "demo")
    (tmp_path / "runs" / moving.TRASH).symlink_to(tmp_path)
    with pytest.raises(UserError, match="a link, where a folder was expected"):
        moving.delete(run)
    assert run.exists()


def test_what_else_lies_in_the_trash_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / moving.TRASH).mkdir()
    (tmp_path / moving.TRASH / "note").write_text("mine")
    trash = Trash(tmp_path)
    trash.delete(run_in(tmp_path, "demo"))
    assert trash.empty() == 1 and trash.left == []
    assert (tmp_path / moving.TRASH / "note").read_text() == "mine"

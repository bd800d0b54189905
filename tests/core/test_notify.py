"""The command that is run when a training ends: by the worker, told by its environment, and in nobody's way. That of whole
trainings is in ``tests/cli/test_terminal.py``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core import events as e
from core.errors import UserError
from core.run import notify, session
from core.run.folder import RunFolder
from core.view.state import State
from tests.cli.conftest import wait_for
from tests.core.hostile import EVIL
from tests.core.training import new_run, tiny


def test_what_is_no_command_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--notify: expected a command"):
        session.start(new_run(tmp_path / "run", tiny()), notify=" ")


def test_what_came_from_outside_is_only_in_the_environment(tmp_path: Path) -> None:
    run, executed = RunFolder(tmp_path / "run"), tmp_path / "executed"
    run.path.mkdir()
    evil = f"{EVIL}\0`touch {executed}`$(touch {executed})"
    said = notify.variables(run, State(status="failed", ending=evil, metrics={"val.accuracy": 0.5}))
    assert said["TUI_TRAINER_RESULT"].isprintable() and said["TUI_TRAINER_ACCURACY"] == "0.5"
    assert notify.run_command(f'printf %s "$TUI_TRAINER_RESULT" > {tmp_path}/said', said, never) == ""
    assert (tmp_path / "said").read_text() == said["TUI_TRAINER_RESULT"]
    assert not executed.exists()


def test_an_ending_that_could_not_be_written_is_told_all_the_same(tmp_path: Path) -> None:
    state = notify.ended(RunFolder(tmp_path / "gone"), e.RunFailed(kind="disk", reason="the folder is gone"))
    assert notify.variables(RunFolder(tmp_path / "gone"), state)["TUI_TRAINER_RESULT"] == "failed: the folder is gone"


def test_a_refused_resume_is_told_as_that(tmp_path: Path) -> None:
    state = notify.ended(RunFolder(tmp_path / "run"), e.ResumeRefused(reason="the recipe changed"))
    said = notify.variables(RunFolder(tmp_path / "run"), state)
    assert (said["TUI_TRAINER_STATUS"], said["TUI_TRAINER_RESULT"]) == ("refused", "not resumed: the recipe changed")


def never() -> bool:
    return False


def always() -> bool:
    return True


@pytest.mark.parametrize(("limit", "hurried"), [("LIMIT", never), ("HURRIED", always)])
def test_a_command_beyond_its_time_is_ended_with_what_it_started(
    limit: str, hurried: Callable[[], bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, limit, 0.5)
    trouble = notify.run_command(f"sleep 1000 & echo $! > {tmp_path}/child; wait", {}, hurried)
    assert trouble.startswith("--notify took longer than ")
    child = int((tmp_path / "child").read_text())
    wait_for(lambda: not is_running(child))


def is_running(process: int) -> bool:
    """One that nobody has asked for its end yet no longer is."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""The command that is run when a training ends: by the worker, told by its environment, and in nobody's way."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core import events as e
from core.errors import UserError
from core.run import journal, notify, session
from core.run.folder import RunFolder
from core.view.state import State
from tests.core.hostile import EVIL
from tests.core.test_worker import LONG, is_training, until
from tests.core.training import new_run, tiny

TELL = 'env | grep "^TUI_TRAINER_[NSRAW]" > "$TUI_TRAINER_RUN/told"'
NAMES = ["ACCURACY", "NAME", "RESULT", "RUN", "STATUS", "WEIGHTS"]


def told(run: RunFolder) -> dict[str, str]:
    pairs = (line.partition("=")[::2] for line in (run.path / "told").read_text().splitlines())
    return {name.removeprefix("TUI_TRAINER_"): value for name, value in pairs}


def warnings(run: RunFolder) -> list[str]:
    return [event.text for event in journal.find(run.journal, e.MessageLogged) if event.level == "warning"]


def test_a_worker_tells_of_its_end_and_keeps_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"TUI_TRAINER_{name}", raising=False)
    run, command = new_run(tmp_path / "run", tiny(epochs=1)), f"{TELL}; echo said by it; exit 7"
    assert session.start(run, notify=command).wait(60) == 0
    (finished,) = journal.find(run.journal, e.RunFinished)
    said = told(run)
    assert sorted(said) == NAMES
    assert (said["NAME"], said["STATUS"], said["RUN"]) == ("run", "finished", str(run.path))
    assert float(said["ACCURACY"]) == pytest.approx(float(finished.metrics["test.accuracy"]), rel=1e-5)
    assert said["RESULT"].startswith("finished: 1 epoch done, test accuracy ") and Path(said["WEIGHTS"]).is_file()
    assert "said by it" in run.log.read_text()
    assert warnings(run)[-1] == "--notify ended with status 7"
    assert not any(b"exit 7" in path.read_bytes() for path in run.path.rglob("*") if path.is_file())  # a resume has none


def test_a_signal_ends_a_worker_soon_whatever_the_command_does(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(**LONG))
    worker = session.start(run, notify=f"{TELL}; sleep 1000")
    until(run, is_training)
    worker.terminate()
    assert worker.wait(40) == 128 + signal.SIGTERM
    assert told(run)["STATUS"] == "stopped" and told(run)["RESULT"].startswith("stopped: signal 15")
    assert warnings(run)[-1].startswith("--notify took longer than ") and not run.alive()


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
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE

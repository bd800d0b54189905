"""Where a program's run comes from: a new folder, or one of before that it goes on with."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UserError
from core.events import CheckpointSaved, RunStarted, SettingChanged, ValidationDone
from core.run import journal
from core.run.folder import RunFile, RunFolder, Taken, check_name, find, free_name, list_runs, reference
from core.run.own.course import Course
from core.run.own.measuring import Best

NOTEBOOK = "a notebook"


def program() -> str:
    """The file name of what runs here."""
    if "ipykernel" in sys.modules:
        return NOTEBOOK
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(main).name if main else "python"


def opened(name: str, runs: Path, resume: bool | str, config: Mapping[str, Any]) -> tuple[RunFolder, bool]:
    """The run's folder, and whether it is one of before. Raises UserError."""
    if isinstance(resume, str):
        return _of_a_program(find(check_name(resume, "resume"), runs)), True
    if resume and (before := _newest(free_stem(name), runs)):
        return before, True
    return _created(name, runs, config), False


def last_saved(run: RunFolder) -> CheckpointSaved | None:
    """The newest checkpoint of the program's own that is still there."""
    begun: list[CheckpointSaved] = []
    for event in journal.find(run.journal, CheckpointSaved, RunStarted):
        begun = [] if isinstance(event, RunStarted) else [*begun, event]
    return next((saved for saved in reversed(begun) if (run.checkpoints / saved.checkpoint).is_dir()), None)


def about(described: RunFile, model: object) -> dict[str, Any]:
    """What the beginning of a session tells, beside what the loop shows."""
    found: dict[str, Any] = {
        "run": described.id, "name": described.name, "program": described.program, "deterministic": False,
        "process": os.getpid(),
    }  # fmt: skip
    if model is None or "torch" not in sys.modules:
        return found if model is None else {**found, "model": type(model).__name__}
    from core.training import seen

    network = seen.network(model)
    return {**found, "model": network.name, "parameters": network.parameters, "device": network.device}


def apply_again(run: RunFolder, course: Course) -> None:
    """What the console had changed before the place where the run goes on; another length only where the program's own is as
    it was."""
    planned = 0
    for event in journal.find(run.journal, SettingChanged, RunStarted):
        if isinstance(event, RunStarted):
            planned = event.epochs
        elif event.step <= course.step and event.key == "learning_rate" and event.previous > 0:
            course.factor *= event.value / event.previous
        elif event.step <= course.step and event.key == "epochs" and planned in (course.epochs, event.previous):
            course.epochs = planned = int(event.value)


def best_before(run: RunFolder, metric: str, step: int) -> Best:
    """The best that had been measured up to the place where the run goes on."""
    best = Best(metric)
    for event in journal.find(run.journal, ValidationDone, RunStarted):
        if isinstance(event, RunStarted):
            best = Best(metric)
        elif event.step <= step:
            best.take(event.metrics, event.epoch, event.step)
    return best


def free_stem(name: str) -> str:
    """What a name comes to as a folder's."""
    return free_name(name, Path(os.devnull))


def _newest(stem: str, runs: Path) -> RunFolder | None:
    same = [run for run in list_runs(runs) if run.name == stem or run.name.removeprefix(f"{stem}-").isdecimal()]
    return next(filter(_is_of_a_program, same), None)


def _is_of_a_program(run: RunFolder) -> bool:
    """Not where that cannot be read."""
    with suppress(UserError):
        return bool(run.read().program)
    return False


def _of_a_program(run: RunFolder) -> RunFolder:
    if run.read().program:
        return run
    raise UserError(f"run '{run.name}' was begun by a recipe; go on with it by: tui-trainer resume {reference(run)}")


def _created(name: str, runs: Path, config: Mapping[str, Any]) -> RunFolder:
    described = RunFile(
        id=secrets.token_hex(8), created=time.time(), program=program(), config=_plain(config), versions=_versions(),
        git=_git_revision(),
    )  # fmt: skip
    while True:
        run = RunFolder(runs / check_name(free_name(name, runs), "name"))
        try:
            run.create(msgspec.structs.replace(described, name=run.name))
        except Taken:
            continue  # another process was faster to take that free name
        return run


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON can hold it; what it cannot is told as text."""
    found: dict[str, Any] = msgspec.to_builtins({str(key): value for key, value in config.items()}, enc_hook=str)
    return found


def _versions() -> dict[str, str]:
    found = {"tui-trainer": metadata.version("tui-trainer")}
    for name in sys.modules.keys() & {"torch", "lightning", "transformers", "keras"}:
        with suppress(metadata.PackageNotFoundError):  # a module of the program's own may be called so
            found[name] = metadata.version(name)
    return found


def _git_revision() -> str:
    """Of the program's folder."""
    git = shutil.which("git")
    if git is None:
        return ""
    folder = getattr(sys.modules.get("__main__"), "__file__", None)
    where = str(Path(folder).parent) if folder else "."
    answer = subprocess.run([git, "-C", where, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return answer.stdout.strip()

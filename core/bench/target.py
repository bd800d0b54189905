"""Time to an accuracy: a recipe run for several seeds as anybody would run it, each an ordinary run that ``show`` shows."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import msgspec

from core.bench.results import SeedResult
from core.data import Progress
from core.errors import TrainingError, UserError
from core.events import (
    EpochDone,
    Event,
    PhaseEnded,
    PhaseStarted,
    RunResumed,
    RunStarted,
    StepDone,
    to_number,
)
from core.recipe import Recipe, to_table
from core.run import journal, session
from core.run.folder import RunFolder, busy
from core.run.journal import JournalReader, finished
from core.view.fold import fold
from core.view.summary import summarise

WRONG_USE = 2
"""A worker's exit status."""
LOOK = 0.2
"""Seconds between two looks at a run's journal."""


def run_seeds(recipe: Recipe, seeds: int, runs: Path, threads: int | None, progress: Progress) -> Iterator[SeedResult]:
    """One result after the other, for seeds 0 to ``seeds`` - 1. A finished run is read, one that was cut off is resumed.

    Raises UserError for wrong use and TrainingError when a run fails. A KeyboardInterrupt makes the run save and end first.
    """
    for seed in range(seeds):
        changed = msgspec.structs.replace(recipe, seed=seed)
        run = RunFolder(runs / run_name(changed, threads))
        if not run.exists():
            session.create(changed, runs, run.name, threads, Path.cwd())
        if finished(run.journal) is None:
            _train(run, f"{recipe.name}: seed {seed} (run {run.name})", progress)
        yield result(run, seed)


def run_name(recipe: Recipe, threads: int | None) -> str:
    """The same for the same recipe, seed and threads, and for no others, so that a run of other settings is never taken."""
    table = to_table(msgspec.structs.replace(recipe, description="", seed=0))
    same = msgspec.json.encode((table, threads), order="deterministic")
    return f"bench-{recipe.name[:40]}-{hashlib.sha256(same).hexdigest()[:8]}-seed-{recipe.seed}"


def _train(run: RunFolder, phase: str, progress: Progress) -> None:
    if run.alive():
        raise busy(run)
    state, reader = summarise(run), JournalReader(run.journal, run.journal.stat().st_size if run.journal.exists() else 0)
    worker = session.start(run, tied=True)
    try:
        while worker.poll() is None:
            time.sleep(LOOK)
            state = fold(state, reader.read())
            progress(phase, state.step, state.total_steps, "steps")
    except KeyboardInterrupt:
        _end(worker)
        raise
    if worker.returncode:
        state = fold(state, reader.read())
        _fail(run, worker.returncode, state.refusal or state.ending or f"see {run.log}")


def _fail(run: RunFolder, status: int, reason: str) -> NoReturn:
    if status != WRONG_USE:
        raise TrainingError("error", f"run {run.name}: {reason}")
    if not journal.find(run.journal, RunStarted):  # a run that never began is none
        shutil.rmtree(run.path, ignore_errors=True)
    raise UserError(reason)


def _end(worker: subprocess.Popen[bytes]) -> None:
    """Let a worker save what it has."""
    worker.terminate()
    worker.wait()


def result(run: RunFolder, seed: int) -> SeedResult:
    """Of a finished run; raises UserError for one that is not."""
    end = finished(run.journal)
    if end is None:
        raise UserError(f"run {run.name}: stopped by somebody before its end; the same command goes on with it")
    events = journal.read_all(run.journal)
    seconds = durations(events)
    return SeedResult(
        run=str(run.path),
        seed=seed,
        accuracy=to_number(end.metrics["test.accuracy"]),
        tta_accuracy=to_number(end.metrics["test.tta_accuracy"]) if "test.tta_accuracy" in end.metrics else None,
        sessions=sum(isinstance(event, (RunStarted, RunResumed)) for event in events),
        **seconds,
    )


def durations(events: list[Event]) -> dict[str, float]:
    """Seconds by what they were spent on, all sessions of a journal together; they add up to ``total``."""
    found = dict.fromkeys(("start", "preparation", "compile", "training", "validation", "final"), 0.0)
    for part in _sessions(events):
        for name, seconds in _spent(part):
            found[name] += seconds
    total = sum(part[-1].time - part[0].time for part in _sessions(events))
    return {**found, "total": total, "other": total - sum(found.values())}


def _sessions(events: list[Event]) -> list[list[Event]]:
    """Each begins with a worker's first word."""
    starts = [place for place, event in enumerate(events) if isinstance(event, PhaseStarted) and event.phase == "start"]
    return [events[start:end] for start, end in pairwise([*starts, len(events)])]


def _spent(part: list[Event]) -> Iterator[tuple[str, float]]:
    loaded = part[0].time
    last_epoch = max((place for place, event in enumerate(part) if isinstance(event, EpochDone)), default=-1)
    for place, event in enumerate(part):
        match event:
            case PhaseEnded(phase="start"):
                loaded = event.time
                yield "start", loaded - part[0].time
            case RunStarted() | RunResumed():
                yield "preparation", event.time - loaded
            case PhaseEnded(phase="compile"):
                yield "compile", event.seconds
            case PhaseEnded(phase="validate" | "test"):
                yield "validation" if place < last_epoch else "final", event.seconds
            case StepDone():
                yield "training", event.seconds

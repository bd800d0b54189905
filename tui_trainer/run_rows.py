"""Runs as ``runs`` and ``show`` print them: as JSON, whose keys stay as they are, and as rows of a table."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from core import checkpoint
from core.checkpoint import Damaged
from core.events import from_number
from core.run import tags
from core.run.folder import RunFolder, last_activity, reference
from core.run.program import way_on
from core.view.ranks import ranks, speed, straggler, straggler_words
from core.view.readings import confusions, format_bytes, format_duration, format_metric, monitor, stopping_sentence, trouble
from core.view.state import State
from core.view.words import count
from tui_trainer.listing import ListedRun
from tui_trainer.result import LAST_LINES, pictures_words
from tui_trainer.worker_log import last_words


def best(state: State) -> dict[str, Any] | None:
    """The best monitored value and when it was, as ``show --json`` gives it."""
    stopping = state.stopping
    if stopping.best is None:
        return None
    return {
        "metric": monitor(state),
        "value": from_number(stopping.best),
        "epoch": stopping.best_epoch,
        "step": stopping.best_step,
    }


def checkpoints(run: RunFolder) -> list[dict[str, Any]]:
    """What lies on disk, oldest first; a damaged one has no epoch."""
    found, pointer = [], checkpoint.pointed(run.checkpoints, "best")
    for folder in checkpoint.listing(run.checkpoints):
        try:
            manifest = checkpoint.read_manifest(folder)
            size = sum(entry.bytes for entry in manifest.files.values())
            entry = {"step": manifest.step, "epoch": manifest.epoch, "name": manifest.name, "bytes": size}
        except Damaged:
            entry = {"step": checkpoint.position(folder.name)[0], "epoch": None, "name": "", "bytes": 0}
        found.append({"checkpoint": folder.name, **entry, "best": bool(pointer and pointer.checkpoint == folder.name)})
    return found


def brief(run: RunFolder, state: State) -> dict[str, Any]:
    return {
        "name": run.name,
        "path": str(run.path),
        "recipe": state.recipe,
        "program": state.program,
        "state": state.status,
        "epoch": state.epoch,
        "epochs": state.epochs,
        "step": state.step,
        "best": best(state),
        "last_activity": last_activity(run),
    }


def details(run: RunFolder, state: State) -> dict[str, Any]:
    return {
        "metrics": {name: from_number(value) for name, value in state.metrics.items()},
        "accuracy_by_class": {
            item.split: {score.name: score.accuracy for score in item.classes} for item in state.measurements.values()
        },
        "confusions": {item.split: [pair._asdict() for pair in confusions(item, 10)] for item in state.measurements.values()},
        "pictures": [msgspec.to_builtins(item) for item in state.pictures],
        "early_stopping": stopping_sentence(state),
        "ending": state.ending,
        "hindrance": state.hindrance,
        "trouble": trouble(state, time.time()),
        "log": last_words(run, state, LAST_LINES),
        "failure": state.failure,
        "weights": state.weights,
        "ranks": [item._asdict() for item in ranks(state)],
        "straggler": found._asdict() if (found := straggler(ranks(state))) else None,
        "messages": [msgspec.to_builtins(message) for message in state.messages],
    }


def listed(item: ListedRun) -> dict[str, Any]:
    return {**brief(item.run, item.state or State()), "tags": item.tags, "bytes": item.size}


def row(item: ListedRun) -> tuple[str, ...]:
    run, state = item.run, item.state or State()
    value = state.stopping.best
    shown = "-" if value is None else f"{monitor(state)} {format_metric(monitor(state), value)}"
    ago = f"{format_duration(max(time.time() - last_activity(run), 0))} ago"
    words = " ".join(f"#{tag}" for tag in item.tags)
    epoch = f"{state.epoch}/{state.epochs or '?'}" if state.program else f"{state.epoch}/{state.epochs}"
    return run.name, state.status, state.recipe or state.program, epoch, shown, ago, words


def facts(run: RunFolder, state: State) -> list[tuple[str, str]]:
    return [
        ("run", str(run.path)),
        ("state", f"{state.status}: {why}" if (why := _why(state)) else state.status),
        ("recipe", state.recipe),
        ("program", state.program),
        ("tags", " ".join(tags.read(run))),
        ("data", state.data),
        ("model", f"{state.model}, {state.parameters:,} parameters" if state.model else ""),
        ("device", _device(state)),
        ("processes", ", ".join(filter(None, (str(len(ranks(state)) or ""), straggler_words(state))))),
        ("epoch", _place(state)),
        ("trained", format_duration(state.trained_seconds)),
        ("early stopping", stopping_sentence(state)),
        *((name, format_metric(name, value)) for name, value in sorted(state.metrics.items())),
        ("pictures", pictures_words(state)),
        ("weights", str(run.path / state.weights) if state.weights else ""),
        *(("worker.log", line) for line in last_words(run, state, LAST_LINES)),
        ("next", _next(run, state) if state.status in ("lost", "failed", "stopped", "discarded") else ""),
    ]


def rank_rows(state: State) -> list[tuple[str, ...]]:
    """Of several processes, with a head; only the columns that tell something."""
    found = [
        (str(item.rank), item.host, speed(item.images_per_second), *map(_bytes, (item.memory_bytes, item.gpu_memory_bytes)))
        for item in ranks(state)
    ]
    columns = zip(("RANK", "HOST", "IMAGES/S", "MEMORY", "GPU MEMORY"), *found, strict=True)
    return list(zip(*(column for column in columns if any(column[1:])), strict=True))


def _bytes(number: int | None) -> str:
    return "" if number is None else format_bytes(number)


def _device(state: State) -> str:
    kind = f"{state.device} {state.precision}".strip()
    return f"{kind}, {count(state.threads, 'thread')}" if state.threads else kind


def _place(state: State) -> str:
    if state.total_steps or not state.program:
        return f"{state.epoch} of {state.epochs}, step {state.step} of {state.total_steps}"
    return f"{state.epoch} of {state.epochs}, step {state.step}" if state.epochs else f"{state.epoch}, step {state.step}"


def _next(run: RunFolder, state: State) -> str:
    return way_on(run.name, state.program) if state.program else f"tui-trainer resume {reference(run)}"


def _why(state: State) -> str:
    return state.ending or state.hindrance or trouble(state, time.time())


def checkpoint_row(entry: dict[str, Any]) -> tuple[str, ...]:
    epoch = "damaged" if entry["epoch"] is None else str(entry["epoch"])
    return entry["checkpoint"], epoch, entry["name"], "best" if entry["best"] else ""

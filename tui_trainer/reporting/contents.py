"""What a report says, whatever it is written as: words, tables of words, curves and pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from core import checkpoint
from core.checkpoint import Damaged
from core.errors import UNREADABLE, UserError
from core.run.folder import RunFile, RunFolder, reference
from core.run.program import recipe_of, told
from core.view import readings
from core.view.readings import format_bytes, format_count, format_duration, format_metric, stopping_sentence
from core.view.state import State
from core.view.words import count
from tui_trainer import run_rows
from tui_trainer.reporting.classes import Measured, measured
from tui_trainer.reporting.curves import Plot, plots
from tui_trainer.reporting.pictures import Gallery, gallery
from tui_trainer.worker_log import last_words

Pairs = tuple[tuple[str, str], ...]
KEPT_MESSAGES = 50
LAST_LINES = 10
"""Of the log of a worker that is gone without a word, or failed."""
ENDINGS = {
    "finished": "The run has finished", "early-stopped": "Early stopping has ended the run",
    "stopped": "The run was stopped", "discarded": "The run was ended without saving", "failed": "The run has failed",
}  # fmt: skip


class Table(NamedTuple):
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Report(NamedTuple):
    title: str
    status: str
    sentence: str
    made: str
    """When, which for a living run is how far it had come."""
    figures: Pairs
    """The few numbers that one looks for first."""
    facts: Pairs
    plots: tuple[Plot, ...]
    measured: tuple[Measured, ...]
    gallery: Gallery
    stopping: str
    checkpoints: Table
    history: Table
    messages: Table
    log: tuple[str, ...]
    environment: Pairs
    recipe: tuple[str, ...]
    commands: Pairs


class World(msgspec.Struct, frozen=True):
    """Of a checkpoint's ``state.json``, what only the trainer knew of data and machine."""

    data_fingerprint: str = ""
    torch: str = ""
    processor: str = ""


class _Saved(msgspec.Struct, frozen=True):
    world: World = World()


def contents(run: RunFolder, state: State, now: float) -> Report:
    """``now``: Unix seconds at which the state was read."""
    return Report(
        run.name or state.name, state.status, sentence(state, now), moment(now), tuple(figures(state)), tuple(facts(state)),
        tuple(plots(state)), tuple(measured(state)), gallery(run, state), stopping_sentence(state), _checkpoints(run),
        _history(state), _messages(state), last_words(run, state, LAST_LINES), tuple(environment(run, state)), _recipe(run),
        tuple(_commands(run, state)),
    )  # fmt: skip


def sentence(state: State, now: float) -> str:
    """How the run stands, in words that hold for the moment of the report alone where it goes on."""
    where = f"at {readings.where(state)}" if state.epochs or state.step else "before its first step"
    if state.status == "lost":
        return f"The trainer is gone without a word, {where}."
    if state.ended:
        kind = f" ({state.failure})" if state.failure else ""
        return f"{ENDINGS[state.status]}{kind}: {state.ending or 'no reason given'}, {where}."
    if trouble := readings.trouble(state, now):
        return f"The run goes on, but: {trouble}, {where}."
    if state.status == "paused":
        return f"The run is paused{f' ({state.hindrance})' if state.hindrance else ''}, {where}."
    doing = " ".join(readings.doing(state).split()) or "training"
    return f"The run goes on ({doing}), {where}; what stands here is not its result."


def moment(seconds: float) -> str:
    """``2026-01-31 12:34 UTC``; a dash for a time that there is not."""
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds)) if seconds > 0 else "-"
    except (OverflowError, ValueError, OSError):
        return "-"


def figures(state: State) -> Iterator[tuple[str, str]]:
    """Accuracies as the run has stored them, the test split's first."""
    for split, prefix in (("test", "test"), ("validation", "val")):
        for item in (found for name, found in state.measurements.items() if name == split):
            for name, words in (("accuracy", "accuracy"), ("tta_accuracy", "with TTA"), ("loss", "loss")):
                if (value := item.metrics.get(f"{prefix}.{name}")) is not None:
                    yield f"{split} {words}", format_metric(name, value)
    if state.epochs:
        yield "epochs", f"{len(state.rows):,} of {state.epochs:,}"
    elif state.rows:
        yield "epochs", f"{len(state.rows):,}"
    if state.trained_seconds > 0:
        yield "trained", format_duration(state.trained_seconds)
    if state.parameters:
        yield "parameters", format_count(state.parameters)


def facts(state: State) -> Iterator[tuple[str, str]]:
    if state.recipe:
        yield "recipe", state.recipe
    if state.program:
        yield "program", state.program
    if state.data:
        yield "data", f"{state.data}, {count(len(state.classes), 'class')}"
    if state.train_images:
        yield "images", f"{state.train_images:,} to train on, {state.validation_images:,} held out, {state.test_images:,} test"
    if state.model:
        macs = f", {format_count(state.macs)} multiply-accumulates an image" if state.macs else ""
        yield "model", f"{state.model}, {state.parameters:,} parameters{macs}"
    if state.steps_per_epoch:
        each = f", {state.batch_size:,} images each" if state.batch_size else ""
        epochs = count(state.epochs, "epoch") if state.epochs else "epochs"
        yield "length", f"{epochs} of {count(state.steps_per_epoch, 'step')}{each}"
    if (speed := readings.images_per_second(state)) is not None:
        yield "throughput", f"{speed:,.0f} images/s at last"
    if state.started:
        yield "started", moment(state.started)
    if state.last_time:
        yield "last word", moment(state.last_time)
    if state.sessions > 1:
        yield "sessions", f"{state.sessions:,}"
    if state.weights:
        yield "weights", state.weights


def _checkpoints(run: RunFolder) -> Table:
    """What lies on disk, the newest first."""
    rows = tuple(
        (
            entry["checkpoint"], "damaged" if entry["epoch"] is None else str(entry["epoch"]),
            format_bytes(entry["bytes"]) if entry["bytes"] else "-", entry["name"], "best" if entry["best"] else "",
        )
        for entry in reversed(run_rows.checkpoints(run))
    )  # fmt: skip
    return Table(("checkpoint", "epoch", "size", "name", ""), rows)


def _history(state: State) -> Table:
    """What people or faults did to the run: resumes, rewinds, settings, remarks, named checkpoints, extra measurements."""
    return Table(("step", "what", ""), tuple((f"{mark.step:,}", mark.kind, mark.text) for mark in state.marks))


def _messages(state: State) -> Table:
    """Warnings and errors; of what is only said by the way a run has hundreds."""
    found = [item for item in state.messages if item.level != "info"][-KEPT_MESSAGES:]
    return Table(("time", "level", "message"), tuple((moment(item.time), item.level, item.text) for item in found))


def environment(run: RunFolder, state: State) -> Iterator[tuple[str, str]]:
    world, described = _world(run), _described(run)
    set_by = described.recipe.get
    yield from sorted(described.versions.items())
    rows = (
        ("torch build", world.torch), ("device", state.device), ("precision", state.precision), ("processor", world.processor),
        ("threads", str(state.threads or described.threads or "")), ("deterministic", _said(set_by("deterministic"))),
        ("seed", _said(set_by("seed"))), ("git", described.git), ("run id", described.id),
        ("data fingerprint", world.data_fingerprint),
    )  # fmt: skip
    yield from ((name, words) for name, words in rows if words)


def _said(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else "" if value is None else str(value)


def _described(run: RunFolder) -> RunFile:
    try:
        return run.read()
    except UserError:
        return RunFile()


def _world(run: RunFolder) -> World:
    """As the newest checkpoint says that can be read."""
    for folder in reversed(checkpoint.listing(run.checkpoints)):
        try:
            _, files = checkpoint.read(folder, only="state.json")
            return msgspec.json.decode(files["state.json"], type=_Saved).world
        except (Damaged, *UNREADABLE):
            continue
    return World()


def _recipe(run: RunFolder) -> tuple[str, ...]:
    from core.recipe import from_table, to_toml

    try:
        return told(run) or tuple(to_toml(from_table(recipe_of(run), str(run.run_file))).splitlines())
    except UserError as error:
        return (f"# {error}",)


def _commands(run: RunFolder, state: State) -> Iterator[tuple[str, str]]:
    name = reference(run)
    if not state.ended:
        yield f"tui-trainer attach {name}", "watch and steer it"
        yield f"tui-trainer stop {name}", "save, then end it"
    elif state.program:
        pass  # the program itself goes on with it, or measures it again
    elif state.status in ("finished", "early-stopped"):
        yield f"tui-trainer evaluate {name}", "measure its weights again"
        yield f"tui-trainer predict {name} IMAGE...", "say what is in a picture"
        yield f"tui-trainer resume {name} --epochs {2 * max(state.epochs, 1)}", "train it longer"
    else:
        yield f"tui-trainer resume {name}", "go on from its last checkpoint"
    yield f"tui-trainer attach {name}" if state.ended else f"tui-trainer show {name}", "look at it"
    yield f"tui-trainer verify {name}", "check that it is whole"

"""How the entries of a queue stand, for lists: where nobody runs the queue, what came of those that were trained meanwhile is
read from their runs."""

from __future__ import annotations

from msgspec.structs import replace

from core.queue.entries import Entry, cancelled, short
from core.queue.folder import QueueFolder, command
from core.sweep.watched import WatchedRun
from core.view.state import State
from core.view.words import format_duration, format_metric

GONE = "its run is gone, or has another name"


def entries_of(queue: QueueFolder) -> tuple[Entry, ...]:
    """Raises UserError."""
    conducted, entries = queue.conducted, queue.read()  # the lock first: what is written in between is in the entries
    if conducted:
        return entries
    return tuple(_at_rest(queue, entry) if entry.state == "training" else entry for entry in entries)


def _at_rest(queue: QueueFolder, entry: Entry) -> Entry:
    run = queue.run(entry)
    if not queue.is_run_of(entry):
        return _cut_off(queue, entry) if not entry.run else replace(entry, state="failed", note=GONE)
    if run.alive():
        return entry
    watched = WatchedRun(run, "", None)
    while not watched.look():
        pass
    return ended(entry, watched) or _cut_off(queue, entry)


def _cut_off(queue: QueueFolder, entry: Entry) -> Entry:
    return (
        cancelled(entry, 0.0) if entry.ending else replace(entry, note=f"was cut off; {command(queue, 'run')} goes on with it")
    )


def ended(entry: Entry, watched: WatchedRun) -> Entry | None:
    """The entry, settled by what came of its run, whose trainer is gone; None where it can go on."""
    verdict, why = watched.verdict()
    over = watched.state.last_time
    if verdict == "finished":
        return replace(entry, state="done", over=over, note=short(result(watched.state)), ending=False)
    if verdict == "failed":
        return replace(entry, state="failed", over=over, note=short(why), ending=False)
    if verdict == "left" or entry.ending:
        return replace(cancelled(entry, over), note=short(why) if verdict == "left" else "")
    return None


def result(state: State) -> str:
    """``val.loss 1.2345 at epoch 7, 45 s of training``."""
    trained = f"{format_duration(state.trained_seconds)} of training"
    if state.stopping.best is None:
        return trained
    best = format_metric(state.monitor, state.stopping.best)
    return f"{state.monitor} {best} at epoch {state.stopping.best_epoch}, {trained}"

"""A queue as the commands print it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.queue.entries import Entry, waiting
from core.queue.folder import QueueFolder, command
from core.view.summary import summarise
from tui_trainer.cli.say import table

HEAD = ("NUMBER", "RUN", "STATE", "RECIPE", "SEED", "DEVICE", "NOTE")


def documents(queue: QueueFolder, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    places = positions(queue.read())
    return [
        {
            "position": places.get(entry.id),
            "name": entry.name,
            "state": entry.state,
            "recipe": entry.recipe_name,
            "seed": entry.seed,
            "changes": entry.changes,
            "device": entry.device or entry.wanted_device or None,
            "note": entry.note,
            "path": str(queue.run(entry).path),
            "added": entry.added,
            "began": entry.began or None,
            "over": entry.over or None,
        }
        for entry in entries
    ]


def positions(entries: Sequence[Entry]) -> dict[str, int]:
    """Of those that wait, by id."""
    return {entry.id: place for place, entry in enumerate(waiting(entries), 1)}


def lines(queue: QueueFolder, entries: Sequence[Entry]) -> Iterator[str]:
    if not entries:
        yield f"the queue of {queue.runs} is empty; add to it with: {command(queue, 'add quickstart --seed 1..5')}"
        return
    places = positions(entries)
    yield from table([HEAD, *(_row(queue, entry, places.get(entry.id)) for entry in entries)], right=(0, 4))
    if not queue.conducted and not all(entry.ended for entry in entries):
        yield f"no process begins them; start one with: {command(queue, 'run')}"


def _row(queue: QueueFolder, entry: Entry, position: int | None) -> tuple[str, ...]:
    device = entry.device or entry.wanted_device or "-"
    note = _note(queue, entry)
    return str(position or "-"), entry.name, entry.state, entry.recipe_name, str(entry.seed), device, note


def _note(queue: QueueFolder, entry: Entry) -> str:
    if entry.ending:
        return "ends with a checkpoint"
    if entry.state == "training" and not entry.note:
        state = summarise(queue.run(entry))
        return f"epoch {state.epoch} of {state.epochs}" if state.epochs else state.status
    return entry.note or " ".join(entry.changes if entry.state == "waiting" else ())


def added(queue: QueueFolder, entries: Sequence[Entry]) -> Iterator[str]:
    places = positions(queue.read())
    for entry in entries:
        place = f"position {places[entry.id]}" if entry.id in places else "begins now"
        yield f"{entry.name}: {place}"
    if queue.conducted or not all(entry.id in places for entry in entries):
        yield f"look at it with: {command(queue)}"
    else:
        yield f"nothing begins by itself yet; start it with: {command(queue, 'run')}"

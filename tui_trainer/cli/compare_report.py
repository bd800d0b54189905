"""Compared runs as ``compare`` prints them without the console: as JSON, whose keys stay as they are, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from core.events import from_number
from core.run.folder import RunFolder
from core.view import whole
from core.view.comparing import (
    By,
    Classes,
    ClassRow,
    Differences,
    Standing,
    Subject,
    bests,
    classes,
    differences,
    level,
    splits,
    standings,
    subject,
)
from core.view.comparing.along import Level
from core.view.words import count, format_count, format_duration, format_metric
from tui_trainer.cli.say import table

BEST = "*"
NOTHING = "-"
HEAD = ("RUN", "STATE", "WATCHED", "BEST", "TEST", "TTA", "LOSS", "EPOCH", "TRAINED", "IMAGES/S", "PARAMETERS", "SEED")
WIDEST_NAME = 40


def subjects(runs: Sequence[RunFolder]) -> list[Subject]:
    return [subject(run, whole.look(run)) for run in runs]


# JSON


def document(runs: Sequence[RunFolder], found: Sequence[Subject], by: By) -> dict[str, Any]:
    """Lists are by run, in the order in which they were named."""
    recipes, same_place = differences(found), level(found, by)
    return {
        "runs": [{**item, "path": str(run.path)} for run, item in zip(runs, _standings(found), strict=True)],
        "recipes": {
            "differences": {row.key: row.values for row in recipes.rows},
            "same": recipes.same,
            "unread": [found[place].name for place in recipes.unread],
        },
        "classes": {split: _classes(classes(found, split)) for split in splits(found)},
        "at_the_same": same_place and _level(same_place),
    }


def _standings(found: Sequence[Subject]) -> Iterator[dict[str, Any]]:
    how = standings(found)
    best = bests(how)
    for place, item in enumerate(how):
        best_in = [column for column, places in best.items() if place in places]
        yield {**{name: _number(value) for name, value in item._asdict().items()}, "best_in": best_in}


def _classes(found: Classes) -> dict[str, Any]:
    accuracies = {row.name: [_number(value) for value in row.accuracies] for row in found.rows}
    to_first = {row.name: row.differences(0) for row in found.rows}
    whole = [_number(value) for value in found.whole.accuracies]
    return {"accuracy": whole, "by_class": accuracies, "to_the_first": to_first, "epochs": found.epochs, "notes": found.notes}


def _level(found: Level) -> dict[str, Any]:
    return {"by": found.by, "place": found.place, "metrics": {name: list(map(_number, values)) for name, values in found.rows}}


def _number(value: Any) -> Any:
    return from_number(value) if isinstance(value, float) else value


# In words


def lines(found: Sequence[Subject], by: By) -> list[str]:
    """Safe to print."""
    return [*_results(found), "", *_recipes(found, differences(found)), "", *_by_class(found), *_at_the_same(found, by)]


def _results(found: Sequence[Subject]) -> Iterator[str]:
    how = standings(found)
    best = bests(how)
    yield from table([HEAD, *(_row(item, place, best) for place, item in enumerate(how))])
    yield f"{BEST} the best of its kind; of trained times, among the runs that are done"


def _row(item: Standing, place: int, best: dict[str, frozenset[int]]) -> tuple[str, ...]:
    def figure(column: str, words: str) -> str:
        return f"{words}{BEST}" if place in best[column] else words

    value = format_metric(item.metric, item.best)
    rate = NOTHING if item.images_per_second is None else f"{item.images_per_second:.0f}"
    return (
        f"{place + 1} {item.name}",
        item.state,
        item.metric or NOTHING,
        figure("best", value) + (f" (epoch {item.best_epoch})" if item.best_epoch is not None else ""),
        figure("test_accuracy", format_metric("accuracy", item.test_accuracy)),
        figure("tta_accuracy", format_metric("accuracy", item.tta_accuracy)),
        figure("train_loss", format_metric("loss", item.train_loss)),
        f"{item.epoch}/{item.epochs}",
        figure("trained_seconds", format_duration(item.trained_seconds)),
        figure("images_per_second", rate),
        format_count(item.parameters) if item.parameters else NOTHING,
        NOTHING if item.seed is None else str(item.seed),
    )


def _recipes(found: Sequence[Subject], recipes: Differences) -> Iterator[str]:
    if recipes.rows:
        head = ("RECIPE", *_numbers(found))
        yield from table([head, *((row.key, *(_value(value) for value in row.values)) for row in recipes.rows)])
    else:
        yield "recipes: no differences"
    yield f"same in all: {count(recipes.same, 'key')}"
    yield from (f"{place + 1}: its recipe cannot be read" for place in recipes.unread)


def _value(value: str | None) -> str:
    return NOTHING if value is None else value


def _numbers(found: Sequence[Subject]) -> list[str]:
    return [str(place + 1) for place in range(len(found))]


def _by_class(found: Sequence[Subject]) -> Iterator[str]:
    for split in splits(found):
        measured = classes(found, split)
        head = (f"{split.upper()}, % AND DIFFERENCE TO 1", *_numbers(found))
        rows = [_class_row(row) for row in (measured.whole, *measured.rows)]
        yield from table([head, *rows], right=range(1, len(head)))
        yield from (f"{place + 1}: {note}" for place, note in enumerate(measured.notes) if note)
        yield ""


def _class_row(row: ClassRow) -> tuple[str, ...]:
    cells = zip(row.accuracies, row.differences(0), strict=True)
    return row.name, *(_accuracy(value, difference, place) for place, (value, difference) in enumerate(cells))


def _accuracy(value: float | None, difference: float | None, place: int) -> str:
    if value is None:
        return NOTHING
    share = f"{100 * value:.1f}"
    return share if place == 0 or difference is None else f"{share} {100 * difference:+5.1f}"


def _at_the_same(found: Sequence[Subject], by: By) -> Iterator[str]:
    """Where all that have begun have been, so that a run that trains is held against one that is done."""
    if (same := level(found, by)) is not None:
        head = (f"AT {_place(same).upper()}", *_numbers(found))
        rows = [(name, *(format_metric(name, value) for value in values)) for name, values in same.rows]
        yield from table([head, *rows], right=range(1, len(head)))


def _place(same: Level) -> str:
    if same.by == "time":
        return f"{format_duration(same.place)} trained"
    return f"{same.by} {same.place:,.0f}" if same.by == "step" else f"{same.by} {same.place:.2f}"

"""An outcome as a few lines of Markdown, as GitHub shows them for a job: $GITHUB_STEP_SUMMARY."""

from __future__ import annotations

from collections.abc import Iterator

from core.view.words import count, format_metric
from tui_trainer.reporting.markdown import folded, table, text
from tui_trainer.reporting.outcome import Outcome, Split

MOST_CLASSES = 200
"""Of all summaries of a job only the first MiB is shown."""


def step_summary(outcome: Outcome) -> str:
    """Begins and ends with an empty line, whatever stands before or comes after it."""
    return "\n".join(["", *_lines(outcome), "", ""])


def _lines(outcome: Outcome) -> Iterator[str]:
    yield from (f"### {text(outcome.name)}: {_heading(outcome)}", "", text(outcome.sentence))
    yield from table(("requirement", "measured", ""), [*_held(outcome), *_open(outcome)])
    yield from table(tuple(name for name, _ in outcome.figures), [tuple(value for _, value in outcome.figures)])
    for split in outcome.splits:
        yield from folded(f"Accuracy by class, {split.name} split", _by_class(split))
    metrics = [(name, format_metric(name, value)) for name, value in sorted(outcome.metrics.items())]
    yield from folded("All metrics", table(("metric", ""), metrics, right=1))
    yield from folded("Recipe, data and machine", table(("", ""), outcome.facts))


def _heading(outcome: Outcome) -> str:
    if outcome.status:
        return f"{outcome.what} {'stopped' if outcome.kind.startswith('SIG') else 'failed'} ({text(outcome.kind)})"
    if not outcome.verdicts:
        return f"{outcome.what} done"
    held = len(outcome.verdicts) - len(outcome.missed)
    return f"{held:,} of {count(len(outcome.verdicts), 'requirement')} met"


def _held(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(str(item.requirement), item.measured, "met" if item.holds else "missed") for item in outcome.verdicts]


def _open(outcome: Outcome) -> list[tuple[str, str, str]]:
    """What was required of one that did not come to its end."""
    return [] if outcome.verdicts else [(str(item), "-", "not looked at") for item in outcome.requirements]


def _by_class(split: Split) -> Iterator[str]:
    rows = [(item.name, format_metric("accuracy", item.accuracy), f"{item.images:,}") for item in split.classes]
    yield from table(("class", "accuracy", "images"), rows[:MOST_CLASSES], right=1)
    if len(rows) > MOST_CLASSES:
        yield from ("", f"and {count(len(rows) - MOST_CLASSES, 'more class')}")

"""A report as Markdown, fit for a comment on a pull request: tables, each curve in a line of small bars, no pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tui_trainer.escape import printable
from tui_trainer.reporting.classes import Measured
from tui_trainer.reporting.contents import Pairs, Report, Table
from tui_trainer.reporting.curves import BOTTOM, TOP, Plot

WITHIN = r"[A-Za-z0-9 .,;()/%+='?-]|:(?= |$)|(?<=[0-9]):(?=[0-9])|(?<=[A-Za-z0-9])_(?=[A-Za-z0-9])"
PLAIN = re.compile(rf"[+-]?[0-9.]+|-|[A-Za-z0-9(](?:{WITHIN})*")
"""Text in which nothing has a meaning in Markdown, nor is made a link, a mention or a small picture of by those who show it."""
LEVELS = "▁▂▃▄▅▆▇█"
BARS = 40


def markdown(report: Report) -> str:
    return "\n".join(_lines(report)) + "\n"


def text(words: str) -> str:
    """Words from outside: as they are where they can do no harm, else as code, in which they mean nothing."""
    shown = printable(words)
    if not shown or (PLAIN.fullmatch(shown) and "www." not in shown.lower()):
        return shown
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    room = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) else ""
    return f"{fence}{room}{shown}{room}{fence}"


def _lines(report: Report) -> Iterator[str]:
    yield from (f"## {text(report.title)}: {report.status}", "", text(report.sentence))
    yield from table(tuple(name for name, _ in report.figures), [tuple(value for _, value in report.figures)])
    yield from pairs((*report.facts, ("early stopping", report.stopping)))
    yield from _curves(report.plots)
    yield from _titled("What happened to it", report.history)
    for item in report.measured:
        yield from _measured(item)
    yield from _titled("Checkpoints", report.checkpoints)
    yield from _titled("Warnings and errors", report.messages)
    if report.log:
        yield from ("", "### The worker's last words", "", *block(report.log))
    yield from folded("Environment", pairs(report.environment))
    yield from folded("Recipe", ["", *block(report.recipe, "toml")])
    yield from ("", "### What can be done next", "", *(f"- {_code(command)}: {words}" for command, words in report.commands))
    yield from ("", f"Written by tui-trainer at {report.made}.")


def _curves(plots: Iterable[Plot]) -> Iterator[str]:
    rows = [
        (plot.heading, line.name, _sparkline(line.smooth or line.path), line.value) for plot in plots for line in plot.lines
    ]
    yield from table(("curve", "", "from the first step to the last", "at last"), rows)


def _sparkline(path: str) -> str:
    """A path of the chart in characters; its values lie between the chart's edges already."""
    places = [float(pair.split(",")[1]) for pair in path.lstrip("M").split("L") if pair]
    bars = min(len(places), BARS)
    found = [places[round(bar * (len(places) - 1) / max(bars - 1, 1))] for bar in range(bars)]
    shares = ((BOTTOM - place) / (BOTTOM - TOP) for place in found)
    return "".join(LEVELS[round(min(max(share, 0.0), 1.0) * (len(LEVELS) - 1))] for share in shares)


def _measured(item: Measured) -> Iterator[str]:
    yield from (
        "",
        f"### Measured: {text(item.title)}",
        "",
        ", ".join(f"{text(name)} **{value}**" for name, value in item.scores),
    )
    changes = any(row.change for row in item.classes)
    rows = [(row.name, row.accuracy, *([row.change] if changes else []), row.images) for row in item.classes]
    yield from table(("class", "accuracy", *(["change"] if changes else []), "right"), rows, right=1)
    if item.left_out:
        yield from ("", f"and {item.left_out:,} more classes")
    if item.pairs:
        yield from ("", "Most often wrong:", "", *(f"{place}. {text(words)}" for place, words in enumerate(item.pairs, 1)))
    head = ("", *item.names)
    matrix = [(item.names[truth], *(cell.words for cell in row)) for truth, row in enumerate(item.matrix)]
    yield from folded("Confusion matrix: true class in a row, taken for in a column, per cent", table(head, matrix, right=1))


def pairs(found: Pairs) -> Iterator[str]:
    return table(("", ""), found)


def _titled(title: str, found: Table) -> Iterator[str]:
    if found.rows:
        yield from ("", f"### {title}", *table(found.head, found.rows))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: int | None = None) -> Iterator[str]:
    """Nothing without rows. Columns from ``right`` on are set to the right."""
    if rows and head:
        rules = ["---" if right is None or place < right else "--:" for place in range(len(head))]
        yield from ("", _row(map(_cell, head)), _row(rules))
        yield from (_row(map(_cell, row)) for row in rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(words: str) -> str:
    """A bar would end it, within code too."""
    return text(words).replace("|", r"\|")


def folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Shown when it is asked for; nothing of nothing."""
    if found := list(lines):
        yield from ("", f"<details><summary>{title}</summary>", *found, "", "</details>")


def block(lines: Sequence[str], language: str = "") -> Iterator[str]:
    """Preformatted text, fenced by more backticks than stand in it."""
    shown = [printable(line) for line in lines]
    fence = "`" * max(3, *(len(run) + 1 for line in shown for run in re.findall("`+", line)), 3)
    yield from (f"{fence}{language}", *shown, fence)


def _code(command: str) -> str:
    return text(command) if "`" in command else f"`{printable(command)}`"

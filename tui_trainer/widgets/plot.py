"""Lines in characters. They are plotext's; it is loaded when the first one is drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from tui_trainer.widgets import drawing
from tui_trainer.widgets.reduction import Frame
from tui_trainer.widgets.rows import Row

_SGR = re.compile(r"\x1b\[(?:38;2;(\d+);(\d+);(\d+)|0)m")


class Line(NamedTuple):
    colour: str
    xs: Sequence[float]
    ys: Sequence[float]
    symbol: str
    """plotext's name of a marker, or a character."""
    joined: bool = True
    """Or the points alone."""


def drawn(lines: Sequence[Line], frame: Frame) -> list[Row]:
    """``frame.rows`` rows of ``frame.columns`` cells, later lines on top."""
    figure = _figure()
    figure.clear.data()
    figure.plot_size(frame.columns, frame.rows)
    figure.ruler("x").lim(frame.left, frame.right)
    figure.ruler("y").lim(frame.bottom, frame.top)
    for line in lines:
        signal = figure.signal(line.xs, line.ys, marker=_marker(line.symbol, line.colour))
        figure.draw(signal.lines() if line.joined else signal)
    return [_parsed(line) for line in figure.build().string().split("\n")[: frame.rows]]


@cache
def _figure() -> Any:
    """Lines and nothing else."""
    plotext = drawing.plotext()
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.axes(False)
    figure.canvas("default")
    figure.legend(False)
    figure.ruler(["x", "y"]).ticks([])
    return figure


@lru_cache(64)
def _marker(symbol: str, colour: str) -> Any:
    plotext = drawing.plotext()
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return plotext.marker(symbol, pixel=plotext.pixel(foreground=(red, green, blue)))


def _parsed(line: str) -> Row:
    """plotext's line, its colour codes turned into one colour a cell."""
    characters, colours, colour, start = list[str](), list[str](), "", 0
    for code in _SGR.finditer(line):
        characters += line[start : code.start()]
        colours += [colour] * (code.start() - start)
        red, green, blue = code.groups()
        colour = f"#{int(red):02x}{int(green):02x}{int(blue):02x}" if red else ""
        start = code.end()
    return Row(characters + list(line[start:]), colours + [colour] * (len(line) - start))

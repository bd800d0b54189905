"""The characters that pictures are made of, with plain ones for terminals that have no others."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import NamedTuple

from rich.text import Text


class Glyphs(NamedTuple):
    marker: str
    """plotext's name of a curve's marker."""
    columns: int
    """Points that a marker tells apart across one cell."""
    dot: str
    axis: str
    tick: str
    corner: str
    line: str
    grid: str
    moment: str
    full: str
    half: str
    track: str
    better: str
    worse: str


UNICODE = Glyphs("braille", 2, "•", "│", "┤", "└", "─", "┈", "╎", "━", "╸", "─", "▲", "▼")
ASCII = Glyphs(".", 1, "o", "|", "+", "+", "-", " ", ":", "=", "", "-", "+", "-")


@cache
def glyphs() -> Glyphs:
    """Plain characters when the output is not UTF-8, or the Linux text console, whose font has no braille."""
    encoding = (getattr(sys.__stdout__, "encoding", None) or "utf-8").lower().replace("-", "")
    return UNICODE if encoding == "utf8" and os.environ.get("TERM") != "linux" else ASCII


def bar(share: float, width: int, marks: Glyphs) -> tuple[str, str]:
    """The filled and the empty part of a bar of ``width`` cells; ``share`` from 0 to 1."""
    halves = round(min(1.0, max(0.0, share)) * width * 2)
    filled = marks.full * (halves // 2) + marks.half * (halves % 2)
    return filled, marks.track * (width - len(filled))


def cut(line: Text, width: int, pad: bool = False) -> Text:
    """The line itself, cut to so many cells where it is longer."""
    line.truncate(width, overflow="crop" if glyphs() is ASCII else "ellipsis", pad=pad)
    return line

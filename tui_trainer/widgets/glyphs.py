"""The characters that pictures are made of, with plain ones for terminals that have no others."""

from __future__ import annotations

import codecs
import os
import sys
from functools import cache
from typing import NamedTuple

from rich.text import Text


class Marker(NamedTuple):
    """What curves are drawn with."""

    name: str
    symbol: str
    """plotext's name of it, or a character."""
    columns: int = 1
    rows: int = 1
    """Dots that it tells apart within one cell."""


class Glyphs(NamedTuple):
    markers: tuple[Marker, ...]
    """The first is the usual one."""
    dot: str
    axis: str
    tick: str
    corner: str
    line: str
    grid: str
    moment: str
    """Of the line through a picture at a mark."""
    cursor: str
    level: str
    epoch: str
    resumed: str
    rewound: str
    changed: str
    remarked: str
    saved: str
    """A checkpoint that a person named."""
    measured: str
    """A split, because a person asked for it."""
    checkpoint: str
    full: str
    half: str
    track: str
    better: str
    worse: str


PLAIN = (Marker("ASCII", "."), Marker("stars", "*"))
UNICODE = Glyphs(
    (Marker("braille", "braille", 2, 4), Marker("quadrants", "hd", 2, 2), Marker("dots", "·"), PLAIN[0]),
    dot="•", axis="│", tick="┤", corner="└", line="─", grid="┈", moment="╎", cursor="│", level="╌", epoch="┴",
    resumed="»", rewound="«", changed="Δ", remarked="¶", saved="◆", measured="▿", checkpoint="◇",
    full="━", half="╸", track="─", better="▲", worse="▼",
)  # fmt: skip
ASCII = Glyphs(
    PLAIN,
    dot="o", axis="|", tick="+", corner="+", line="-", grid=" ", moment=":", cursor="|", level="-", epoch="'",
    resumed=">", rewound="<", changed="%", remarked="!", saved="#", measured="v", checkpoint="^",
    full="=", half="", track="-", better="+", worse="-",
)  # fmt: skip


@cache
def glyphs() -> Glyphs:
    """Plain characters when the output is not UTF-8, or the Linux text console, whose font has no braille."""
    return UNICODE if characters() == "utf-8" else ASCII


def characters() -> str:
    """The encoding of what the terminal can show. Where a locale without one is asked for, Python writes UTF-8 all the same."""
    encoding = codecs.lookup(getattr(sys.__stdout__, "encoding", None) or "utf-8").name
    asked = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))), "")
    if asked in ("C", "POSIX"):
        return "ascii"
    return "latin1" if encoding == "utf-8" and os.environ.get("TERM") == "linux" else encoding


def bar(share: float, width: int, marks: Glyphs) -> tuple[str, str]:
    """The filled and the empty part of a bar of ``width`` cells; ``share`` from 0 to 1."""
    halves = round(min(1.0, max(0.0, share)) * width * 2)
    filled = marks.full * (halves // 2) + marks.half * (halves % 2)
    return filled, marks.track * (width - len(filled))


def cut(line: Text, width: int, pad: bool = False) -> Text:
    """The line itself, cut to so many cells where it is longer."""
    line.truncate(width, overflow="crop" if glyphs() is ASCII else "ellipsis", pad=pad)
    return line

"""Several runs held against each other: pure functions of what is known of each."""

from __future__ import annotations

from core.view.comparing.along import BYS, By, Level, level, placed, reach, reaches
from core.view.comparing.classes import Classes, ClassRow, classes, splits
from core.view.comparing.recipes import Difference, Differences, differences
from core.view.comparing.scalars import best_is_low, extreme, scalars
from core.view.comparing.standing import COLUMNS, Standing, bests, standings
from core.view.comparing.subject import FEWEST, MOST, Subject, subject

__all__ = [
    "BYS",
    "COLUMNS",
    "FEWEST",
    "MOST",
    "By",
    "ClassRow",
    "Classes",
    "Difference",
    "Differences",
    "Level",
    "Standing",
    "Subject",
    "best_is_low",
    "bests",
    "classes",
    "differences",
    "extreme",
    "level",
    "placed",
    "reach",
    "reaches",
    "scalars",
    "splits",
    "standings",
    "subject",
]  # fmt: skip

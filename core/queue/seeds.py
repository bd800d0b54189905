"""Seeds as people ask for them: ``1..5``, ``3,7``, ``0..2,9``."""

from __future__ import annotations

import re

from core.errors import UserError
from core.queue.entries import MOST

PART = re.compile(r"([0-9]{1,18})(?:\.\.([0-9]{1,18}))?", re.ASCII)


def parse(text: str) -> tuple[int, ...]:
    """In their order. Raises UserError."""
    seeds = list[int]()
    for part in text.split(","):
        match = PART.fullmatch(part.strip())
        if match is None:
            raise UserError(f"--seed {text!r}: expected a seed, a list or a range of them, as in 7, 3,7 or 1..5")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UserError(f"--seed {text!r}: {first}..{last} goes down; expected {last}..{first}")
        if len(seeds) + last - first >= MOST:
            raise UserError(f"--seed {text!r}: expected at most {MOST} seeds")
        seeds += range(first, last + 1)
    if twice := next((seed for place, seed in enumerate(seeds) if seed in seeds[:place]), None):
        raise UserError(f"--seed {text!r}: {twice} stands there twice")
    return tuple(seeds)

"""Every page of the run screen in every state and at every size: its characters, and the style of each of them."""

from __future__ import annotations

import string
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.segment import Segment
from textual.pilot import Pilot

from tests.tui import states
from tests.tui.screens import check, console, settled, text_of, trained
from tests.tui.states import PAGES, SIZES, STATES
from tui_trainer.widgets.half_blocks import HALF

PIXEL, RARE = "#", "?"
"""What stands for the style of a picture's pixels, and for one that there is no letter left for."""


def styled(pilot: Pilot[Any]) -> str:
    """For each character a letter for its style, and what the letters mean: the commonest style is a blank."""
    rows = [list(strip.simplify()) for strip in pilot.app.screen._compositor.render_strips()]
    counts = Counter[str]()
    for row in rows:
        for segment in row:
            counts[str(segment.style)] += 0 if segment.text[0] == HALF else segment.cell_length
    found = sorted((style for style, count in counts.items() if count), key=lambda style: (-counts[style], style))
    letters = dict(zip(found, " " + string.ascii_letters + string.digits, strict=False))

    def letter(segment: Segment) -> str:
        return PIXEL if segment.text[0] == HALF else letters.get(str(segment.style), RARE)

    lines = ["".join(letter(segment) * len(segment.text) for segment in row).rstrip() for row in rows]
    return "\n".join([*lines, *(f"{name or ' '}  {style}" for style, name in letters.items())]) + "\n"


@pytest.mark.parametrize("state", STATES)
async def test_every_page_at_every_size(runs: Path, state: str) -> None:
    run = states.make(runs, state)
    with trained(run, STATES[state].live):
        async with console(run).run_test(size=SIZES[0]) as pilot:
            await settled(pilot, run)
            for page in PAGES:
                await states.opened(pilot, run, page)
                for width, height in SIZES:
                    await pilot.resize_terminal(width, height)
                    await states.steady(pilot, run)
                    text = text_of(pilot)
                    assert "\x1b" not in text
                    check(f"{state}/{page}-{width}x{height}", text + styled(pilot))

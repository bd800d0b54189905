"""Every theme can be read, by who does not see all colours too, and the one that was chosen is remembered."""

from __future__ import annotations

import math
import os
from itertools import combinations
from pathlib import Path

import pytest
from textual.color import Color

from tests.tui import runs as made
from tui_trainer import theme
from tui_trainer.app import TrainerApp
from tui_trainer.legible import legible
from tui_trainer.memory import Memory
from tui_trainer.settings import Settings

READ = ("text", "muted", "train", "held_out", "rate", "good", "warn", "bad")
BLINDNESS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""What is seen of linear red, green and blue (Machado, Oliveira and Fernandes, 2009)."""
APART = 17.0
"""Distance in CIELAB, of which one to two can just be seen."""


@pytest.mark.parametrize("name", theme.NAMES)
def test_a_theme_can_be_read(name: str) -> None:
    """Contrast of at least 4.5 for what is read, 7 where that is what the theme is for, on each ground that texts stand on."""
    found = legible(name)
    assert found
    variables = {**found.to_color_system().generate(), **found.variables}
    colours, least = theme.palette(variables), 7.0 if name == theme.HIGH_CONTRAST.name else 4.5
    for ground in ("background", "surface"):
        for read in READ:
            assert contrast(Color.parse(getattr(colours, read)), Color.parse(variables[ground])) >= least, (read, ground)
        assert contrast(Color.parse(variables["footer-key-foreground"]), Color.parse(variables[ground])) >= least, ground
    assert contrast(Color.parse(variables["border-blurred"]), Color.parse(variables["background"])) >= 1.4


@pytest.mark.parametrize("name", theme.NAMES)
def test_what_is_selected_can_be_read(name: str) -> None:
    """The text of a row of a list on the ground of the chosen one."""
    found = legible(name)
    assert found
    variables = {**found.to_color_system().generate(), **found.variables}
    chosen = Color.parse(variables["surface"]).blend(Color.parse(variables["primary"]), 0.3)
    assert contrast(Color.parse(variables["foreground"]), chosen) >= 4.5


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_colours_stay_apart_for_the_colour_blind(blindness: str) -> None:
    colours = theme.palette(theme.COLOUR_BLIND.to_color_system().generate())
    meant = {name: seen(Color.parse(getattr(colours, name)), BLINDNESS[blindness]) for name in ("train", "held_out", "warn")}
    judged = {name: seen(Color.parse(getattr(colours, name)), BLINDNESS[blindness]) for name in ("good", "warn", "bad")}
    for found in (meant, judged):
        for one, other in combinations(found, 2):
            assert distance(found[one], found[other]) >= APART, (one, other)


def test_t_goes_round_all_themes() -> None:
    seen = [theme.NAMES[0]]
    for _ in theme.NAMES:
        seen.append(theme.next_theme(seen[-1]))
    assert seen == [*theme.NAMES, theme.NAMES[0]]
    assert theme.next_theme("no such theme") == theme.NAMES[0]


async def test_the_one_that_was_chosen_is_remembered(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "console.json"
    made.make(runs, "demo", made.stopped())
    app = TrainerApp(runs, clock=lambda: made.NOW, memory=Memory(file))
    assert app.theme == theme.DARK.name
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("t", "t")
        await pilot.pause()
        assert app.theme == theme.COLOUR_BLIND.name
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    assert TrainerApp(runs, memory=Memory(file)).theme == theme.COLOUR_BLIND.name
    assert TrainerApp(runs, memory=Memory(file), settings=Settings(theme="nord")).theme == "nord"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"theme": 3}', b'{"theme": "\\u001b[31m"}', b"\xff", b"[" * 100_000])
def test_a_broken_memory_is_forgotten(runs: Path, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "console.json"
    file.write_bytes(data)
    assert TrainerApp(runs, memory=Memory(file)).theme == theme.DARK.name
    Memory(file).remember_theme("nord")
    assert Memory(file).theme == "nord" and list(tmp_path.glob(".*")) == []


def test_a_memory_that_cannot_be_written_lasts_as_long_as_the_console(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "console.json", tmp_path / "folder"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        kept = Memory(place)
        kept.remember_theme("nord")
        kept.remember_layout("fast", {"overview": ("device",)})
        assert (kept.theme, kept.layout("fast")) == ("nord", {"overview": ("device",)})
        assert Memory(place).theme == ""


def test_two_consoles_do_not_forget_what_the_other_learnt(tmp_path: Path) -> None:
    file = tmp_path / "console.json"
    one, other = Memory(file), Memory(file)
    one.remember_theme("nord")
    other.remember_layout("fast", {"overview": ("device",)})
    assert Memory(file).theme == "nord" and Memory(file).layout("fast") == {"overview": ("device",)}
    one.remember_layout("fast", {"overview": ()})
    assert Memory(file).layout("fast") == {}
    assert [entry.name for entry in os.scandir(tmp_path)] == ["console.json"]


def linear(colour: Color) -> tuple[float, ...]:
    return tuple(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour.normalized)


def contrast(one: Color, other: Color) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Color) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def seen(colour: Color, by: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    """In linear red, green and blue."""
    values = linear(colour)
    return tuple(min(max(sum(share * value for share, value in zip(row, values, strict=True)), 0.0), 1.0) for row in by)


def distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return math.dist(lab(one), lab(other))


def lab(colour: tuple[float, ...]) -> tuple[float, ...]:
    red, green, blue = colour
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)

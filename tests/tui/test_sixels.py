"""The parts of pictures by sixel: their code, what a terminal says, what a frame has written to, and what follows it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser
from textual.geometry import Region
from textual.message import Message

from core.run.folder import RunFolder
from core.view.pictures import Picture
from tests.tui import runs as made
from tests.tui.pictured import with_pictures
from tests.tui.screens import console, panel, until
from tests.tui.sixel_terminal import Sixels, decoded
from tests.tui.test_pictures_page import opened
from tui_trainer import pixels
from tui_trainer.driver import Report, ReportParser
from tui_trainer.pixels import BLOCKS, Way
from tui_trainer.widgets import overlay, sixel
from tui_trainer.widgets.overlay import Overlay, Written
from tui_trainer.widgets.sixel_terminal import Inquiry

WIDTH, HEIGHT = 16, 8


@pytest.fixture
def ended(runs: Path) -> RunFolder:
    return with_pictures(runs, made.early_stopped())


def noise(channels: int, side: int) -> Picture:
    return Picture(random.Random(side).randbytes(channels * side * side), channels, side, side, 0, 0, 1, 0.5)


@pytest.mark.parametrize(("channels", "side"), [(1, 5), (3, 16), (3, 32), (3, 200), (1, 1)])
@pytest.mark.parametrize(("width", "height"), [(128, 128), (112, 104), (6, 7)])
def test_every_pixel_of_a_picture_is_set_and_no_other(channels: int, side: int, width: int, height: int) -> None:
    found = _decoded(sixel.encoded(noise(channels, side), width, height, 256))
    assert (found.width, found.height) == (width, height) and len(found.pixels) == width * height


def test_few_colours_are_kept_and_many_come_close() -> None:
    """Sixel knows per cent alone."""
    few = noise(1, 16)._replace(pixels=bytes(range(256)))
    found = _decoded(sixel.encoded(few, 16, 16, 256))
    assert [found.row(3)[x] for x in range(16)] == [(round((48 + x) * 100 / 255),) * 3 for x in range(16)]
    smooth = [bytes((x * 8 if channel else y * 8) for y in range(32) for x in range(32)) for channel in range(3)]
    found = _decoded(sixel.encoded(noise(3, 32)._replace(pixels=b"".join(smooth)), 32, 32, 256))
    differences = [abs(found.pixels[x, y][1] - x * 8 / 2.55) for x in range(32) for y in range(32)]
    assert max(differences) <= 6 and sum(differences) / len(differences) < 2


@pytest.mark.parametrize("colours", [2, 16, 1024])
def test_no_more_colours_than_the_terminal_has(colours: int) -> None:
    found = _decoded(sixel.encoded(noise(3, 32), 32, 32, colours))
    assert len(set(found.pixels.values())) <= min(colours, 256)


def _decoded(words: str) -> Sixels:
    assert words.isascii() and words.startswith("\x1bP") and words.endswith("\x1b\\")
    return decoded(words[2:-2])


# What a terminal says


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["?62;22c"], BLOCKS),
        (["?4c"], BLOCKS),  # a VT132
        (["?62;14;44c", "6;16;8t"], BLOCKS),
        (["?62;4;22c", "6;16;8t", "4;600;900t"], Way("sixel", 8, 16, 256)),
        (["?1;2;4c", "6;16;8t", "?1;0;1024S"], Way("sixel", 8, 16, 1024)),
        (["?62;4c", "4;640;960t", "?1;3;0S"], Way("sixel", 8, 16, 256)),  # which was an error
        (["?62;4c", "6;0;0t", "4;0;0t"], Way("sixel", 9, 18, 256)),
        (["?62;4c", "6;99999;8t"], Way("sixel", 9, 18, 256)),
        (["?62;4c", "6;16;8t", "?1;0;1S"], BLOCKS),
    ],
)
def test_what_follows_from_what_a_terminal_says(answers: list[str], expected: Way) -> None:
    inquiry = Inquiry()
    assert [inquiry.hear(f"\x1b[{answer}") for answer in answers] == [answer.endswith("c") for answer in answers]
    assert inquiry.way(120, 40, (120 * 9, 40 * 18)) == expected


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM": "foot"}, True),
        ({"TERM": "mlterm"}, True),
        ({"TERM": "vt340"}, True),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, False),
        ({"TERM": "screen.xterm-256color", "STY": "1.pts-0"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "eterm-color"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_which_terminals_are_asked(environ: dict[str, str], asked: bool) -> None:
    assert pixels.may_ask_for_sixel(environ) is asked
    assert ("sixel" in pixels.words(environ)) is asked
    assert "by pixels, sixel" in pixels.words({**environ, pixels.SETTING: "sixel"})


@pytest.mark.parametrize("window", [(0, 0), (-1, -1), (120, 40), (1 << 16, 1 << 16)])
def test_a_size_that_cannot_be(window: tuple[int, int]) -> None:
    assert Inquiry(sure=True).way(120, 40, window) == BLOCKS


@given(
    columns=st.integers(80, 300), rows=st.integers(24, 100), width=st.integers(5, 20), height=st.integers(8, 40),
    over=st.floats(0, 0.99), border=st.sampled_from([0, 4]),
)  # fmt: skip
def test_no_picture_is_larger_than_its_cells(
    columns: int, rows: int, width: int, height: int, over: float, border: int
) -> None:
    """Whatever room a window has to spare."""
    window = columns * width + int(over * width) + border, rows * height + int(over * height) + border
    way = Inquiry(sure=True).way(columns, rows, window)
    assert way.width <= width and way.height <= height and (width - way.width <= 1 and height - way.height <= 2)


REPORTS = ["\x1b[?62;4;22c", "\x1b[?61;4;6;7;14;21;22;23;24;28;32;42;52c", "\x1b[6;16;8t", "\x1b[4;640;960t", "\x1b[?1;0;256S"]
KEYS = [
    "a",
    "c",
    "4",
    "é",
    "\x1b[A",
    "\x1b[6~",
    "\x1b[1;5C",
    "\x1b[15~",
    "\x1bOP",
    "\x1b[<0;5;6M",
    "\x1b[3;7R",
    "\x1b[?2026;2$y",
]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_reports_are_told_apart_from_keys_however_they_come(data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from([*REPORTS, *KEYS]), max_size=12))
    whole, reports = "".join(words), [word for word in words if word in REPORTS]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=8)) | {0, len(whole)})
    parser, plain = ReportParser(), XTermParser()
    parser.expect()
    found = [message for first, last in pairwise(cuts) for message in parser.feed(whole[first:last])]
    assert [message.words for message in found if isinstance(message, Report)] == reports
    keys = "".join(word for word in words if word in KEYS)
    assert _told(found) == (_told(plain.feed(keys)) if keys else [])


def test_the_escape_key_is_kept_back_for_a_moment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("tui_trainer.driver.time.monotonic", lambda: now)
    monkeypatch.setattr("textual._parser.get_time", lambda: now)
    parser = ReportParser()
    parser.expect()
    assert not [*parser.feed("\x1b"), *parser.tick()]
    now += 0.15
    assert not list(parser.tick())  # Textual waits as long as ever
    now += 0.15
    assert [message.key for message in parser.tick() if isinstance(message, events.Key)] == ["escape"]
    assert not list(parser.feed("\x1b[?62;"))
    now += 1.0
    assert not list(parser.tick())
    (report,) = parser.feed("4c")
    assert isinstance(report, Report)
    now += 10.0
    assert not list(parser.feed("\x1b[?62"))  # nobody waits for one by now, and it goes where it always did
    assert parser._begun == ""


def _told(messages: Iterable[Message]) -> list[str]:
    return [repr(message) for message in messages if not isinstance(message, Report)]


# What lies over cells


def test_which_cells_a_frame_has_written_to() -> None:
    frame = "\x1b[?2026h\x1b[3;5H\x1b[38;2;1;2;3m▀▀\x1b[0m▀a\x1b[4;1H\x1b]8;;http://x\x1b\\日本\x1b]8;;\x1b\\\n\x1b[1;1H"
    written = Written(frame)
    assert written and not Written("\x1b]2;title\x1b\\\x1b[?25l\x1b[1;1H")
    cells = {(x, y) for x in range(20) for y in range(8) if written.touches(Region(x, y, 1, 1))}
    assert cells == {(x, 2) for x in range(4, 8)} | {(x, 3) for x in range(4)}
    assert written.covers(Region(1, 3, 3, 1)) and not written.covers(Region(1, 3, 4, 1))
    assert written.touches(Region(7, 2, 5, 5)) and not written.covers(Region(5, 2, 2, 2))


async def test_what_follows_a_frame_is_bounded_and_nothing_comes_twice(ended: RunFolder) -> None:
    async with console(ended).run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, ended)
        mistakes = panel(screen, "Mistakes")
        written = list[str]()
        lying, size = Overlay(pilot.app, written.append), overlay.MOST // 3
        parts = [Region(x * (WIDTH + 1), y * (HEIGHT + 1), WIDTH, HEIGHT) for y in range(3) for x in range(4)]
        lying.put(mistakes, {part: chr(ord("A") + place) * size for place, part in enumerate(parts)})
        frame = "".join(f"\x1b[{row};1H{'x' * 120}" for row in range(1, 41))
        written.append(lying.follow(frame))
        assert written[0].startswith("\x1b7\x1b[4;3HA") and written[0].endswith("\x1b8")
        await until(pilot, lambda: len(written) == 4)
        assert [letters(words, size) for words in written] == ["ABC", "DEF", "GHI", "JKL"]
        assert max(map(len, written)) < overlay.MOST + 100
        assert lying.follow("\x1b[1;1Htitle") == ""
        assert letters(lying.follow("\x1b[10;30Hx"), size) == "B"
        lying.clear()
        assert lying.follow(frame) == ""


def letters(words: str, size: int) -> str:
    return "".join(letter for letter in "ABCDEFGHIJKL" if letter * size in words)


async def test_below_the_last_line_and_beside_the_view_there_is_none(ended: RunFolder) -> None:
    """Where a terminal would scroll, or paint over another panel."""
    async with console(ended).run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot, ended)
        mistakes = panel(screen, "Mistakes")
        lying, view = Overlay(pilot.app, list[str]().append), mistakes.scrollable_content_region.size
        inside = Region(0, 0, view.width, view.height)
        for part, fits in [(inside, True), (inside.grow((0, 1, 0, 0)), False), (inside.grow((0, 0, 1, 0)), False)]:
            lying.put(mistakes, {part: "A"})
            frame = "".join(f"\x1b[{row};1H{'x' * 120}" for row in range(1, 41))
            assert ("A" in lying.follow(frame)) is fits

"""The device panels of a run that several processes train: a line for each, and which of them the others wait for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from textual.geometry import Size

from core import events as e
from core import recipe
from core.events import Event
from core.run.folder import RunFolder
from core.view.fold import fold
from core.view.state import State
from tests.tui import runs as made
from tests.tui.screens import check, console, panel, settled, text_of, trained
from tests.tui.states import steady
from tui_trainer.panels.device import Device
from tui_trainer.panels.machine import Machine
from tui_trainer.theme import DARK, palette

COLOURS = palette(DARK.to_color_system().generate())
SIZES = ((80, 24), (120, 40), (200, 60))


def sampled(size: int, gpu: bool = False) -> e.RanksSampled:
    """Of so many ranks, the second of which is slow."""
    memory = tuple((700 + 3 * rank) << 20 for rank in range(size))
    speeds = tuple(940.0 if rank == 1 else 1234.0 + rank for rank in range(size))
    return e.RanksSampled(
        step=760, images_per_second=speeds, memory_bytes=memory, gpu_memory_bytes=(39 << 30,) * size if gpu else ()
    )


def two() -> Iterator[Event]:
    yield from made.running()
    yield sampled(2)


def many() -> Iterator[Event]:
    """On eight machines, each with GPUs."""
    hosts = tuple(f"node-{rank // 8:02d}.cluster" for rank in range(64))
    for event in made.running():
        yield replace(event, hosts=hosts, processes=64) if isinstance(event, e.RunStarted) else event
    yield e.DeviceSampled(
        cpu_percent=31.0, memory_bytes=700 << 20, memory_total=512 << 30, gpu_percent=97.0, gpu_memory_bytes=39 << 30,
        gpu_memory_total=80 << 30, gpu_celsius=61.0, gpu_watts=312.4,
    )  # fmt: skip
    yield sampled(64, gpu=True)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("told", [two, many], ids=["two", "many"])
async def test_a_line_for_each_at_every_size(runs: Path, told: object, size: tuple[int, int]) -> None:
    name, events = ("two", two()) if told is two else ("many", many())
    run = made.make(runs, "demo", events)
    described = replace(run.read(), recipe=recipe.to_table(recipe.load("quickstart")))
    run.run_file.write_bytes(msgspec.json.encode(described))
    with trained(run, live=True):
        async with console(run).run_test(size=size) as pilot:
            screen = await settled(pilot, run)
            overview = text_of(pilot)
            if panel(screen, "Device").size:
                check(f"ranks/{name}-overview-{size[0]}x{size[1]}", overview)
                assert "rank 0 " in overview and "all wait for rank 1" in overview
            await pilot.press("5")
            await steady(pilot, run)
            check(f"ranks/{name}-details-{size[0]}x{size[1]}", text_of(pilot))
            panel(screen, "Machine").focus()
            await pilot.press("z")
            await settled(pilot, run)
            assert f"rank {1 if told is two else 12}  " in text_of(pilot)


async def test_many_are_scrolled(runs: Path) -> None:
    run = made.make(runs, "demo", many())
    with trained(run, live=True):
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await settled(pilot, run)
            assert "rank 63" not in text_of(pilot)
            panel(screen, "Device").focus()
            await pilot.press("end")
            await settled(pilot, run)
            await pilot.pause(0.5)
            assert "gpu mem" in text_of(pilot)


def lines(kind: type[Device] | type[Machine], width: int, *events: Event) -> list[str]:
    shown = kind(RunFolder(Path("runs/demo")))
    reads = shown.reads(fold(State(), events), made.NOW)
    return [line.plain for line in shown.draw(reads, Size(width, 7), COLOURS)]  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [Device, Machine])
def test_one_process_is_shown_as_it_was(kind: type[Device] | type[Machine]) -> None:
    sample = e.DeviceSampled(cpu_percent=12.0, memory_bytes=1 << 30, memory_total=8 << 30)
    assert not [line for line in lines(kind, 54, made.started(), sample) if "rank" in line]


@pytest.mark.parametrize("width", range(1, 120, 7))
@pytest.mark.parametrize("hosts", [(), ("\x1b[31mone", "a-host-of-a-very-long-name.example")])
def test_lines_fit_whatever_the_width(width: int, hosts: tuple[str, ...]) -> None:
    start = replace(made.started(), hosts=hosts)
    for gpu in (False, True):
        for kind in (Device, Machine):
            shown = [line for line in lines(kind, width, start, sampled(2, gpu)) if line.startswith("rank"[:width])]
            assert all(len(line) <= width and "\x1b" not in line for line in shown)


def test_what_there_is_room_for() -> None:
    start = replace(made.started(), hosts=("one", "two"))
    narrow, middle, wide = (lines(Machine, width, start, sampled(2, gpu=True))[1] for width in (36, 52, 90))
    assert narrow == "rank 1     940/s  703 MiB  39.0 GiB"
    assert middle == "rank 1   two    940 images/s  703 MiB  gpu 39.0 GiB"
    assert wide.startswith("rank 1   two  ━━━") and wide.endswith("    940 images/s  703 MiB  gpu 39.0 GiB")

"""The device panel's meters: those that the machine has, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.geometry import Size

from core import events as e
from core.run.folder import RunFolder
from core.view.fold import fold
from core.view.state import State
from tests.tui import runs as made
from tui_trainer.panels.device import Device
from tui_trainer.theme import DARK, palette

COLOURS = palette(DARK.to_color_system().generate())


def lines(*events: e.Event) -> list[str]:
    panel = Device(RunFolder(Path("runs/demo")))
    reads = panel.reads(fold(State(), events), made.NOW)
    return [line.plain for line in panel.draw(reads, Size(54, 7), COLOURS)]


def test_without_a_reading_there_is_no_meter() -> None:
    assert [line.split()[0] for line in lines(made.started())] == ["device", "model", "images"]


def test_a_gpu_shows_its_load_heat_power_and_memory() -> None:
    sample = e.DeviceSampled(
        cpu_percent=12.0, memory_bytes=1 << 30, memory_total=8 << 30, gpu_percent=97.0, gpu_celsius=61.0, gpu_watts=312.4,
        gpu_memory_bytes=39 << 30, gpu_memory_total=40 << 30,
    )  # fmt: skip
    shown = lines(made.started(), sample)
    assert [line.split()[0] for line in shown[3:]] == ["cpu", "memory", "gpu", "gpu"]
    assert "97 % 61 °C 312 W" in shown[5] and "39.0 GiB / 40.0 GiB" in shown[6]


@pytest.mark.parametrize("total", [0, 1 << 30])
def test_an_unknown_total_is_no_division_by_zero(total: int) -> None:
    assert "512 MiB" in lines(e.DeviceSampled(memory_bytes=512 << 20, memory_total=total))[-1]

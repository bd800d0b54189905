"""The console's own process: what it loads, how soon Home is there, and how much memory it takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tui import runs as made

SECONDS = 10.0
"""Of processor time since the process began. Home is there within about one; this only tells when something is loaded or read
that should not be."""
MEGABYTES = 150

PROGRAM = """
import asyncio, json, sys, time
from pathlib import Path
from tui_trainer.app import TrainerApp

class Timed(TrainerApp):
    first_frame = 0.0
    def _display(self, screen, renderable):
        super()._display(screen, renderable)
        if not self.first_frame and screen.query("Footer"):
            Timed.first_frame = time.process_time()

async def main():
    app = Timed(Path(sys.argv[1]))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.5)
        await pilot.press("n")
        await pilot.pause(0.5)

asyncio.run(main())
import psutil
megabytes = psutil.Process().memory_info().rss / 1e6
print(json.dumps({"first_frame": Timed.first_frame, "modules": sorted(sys.modules), "megabytes": megabytes}))
"""


def measured(runs: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(runs)], capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("count", [0, 5])
def test_home_is_there_at_once_and_light(runs: Path, count: int) -> None:
    for number in range(count):
        made.make(runs, f"run-{number}", made.early_stopped())
    found = measured(runs)
    assert not {"torch", "torchvision", "numpy", "plotext", "PIL"} & set(found["modules"])
    assert 0 < found["first_frame"] < SECONDS
    assert found["megabytes"] < MEGABYTES

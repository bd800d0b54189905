"""Make the moving picture of the README, .assets/console.webp, from the recording that ``tui-trainer demo`` plays.

    python -m tests.tools.make_animation .assets/console.webp

Plays it in the console itself, page after page, and has chromium draw each picture; Pillow and chromium are needed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from tui_trainer.demo import DemoApp
from tui_trainer.recording import unpacked

SIZE = (110, 34)
SPEED = 48.0
PLAYED = 16
"""Pictures of the overview while it plays."""
EVERY, HELD = 0.6, 2.5
"""Seconds that a picture of the overview stays, and one of another page."""
PAGES = "3", "4", "2"
FONTS = "'DejaVu Sans Mono', 'DejaVu Sans', monospace"
"""In place of a font that would be asked of a server."""
WIDTH = 1000


async def pictures() -> AsyncIterator[tuple[str, float]]:
    """SVGs, each with the seconds that it is shown."""
    with unpacked() as run:
        app = DemoApp(run, SPEED)
        async with app.run_test(size=SIZE) as pilot:
            for _ in range(PLAYED):
                await pilot.pause(EVERY)
                yield app.export_screenshot(), EVERY
            for page in PAGES:
                await pilot.press(page)
                await pilot.pause(2 * EVERY)
                yield app.export_screenshot(), HELD


def drawn(svg: str, folder: Path) -> Image.Image:
    page, picture = folder / "page.html", folder / "page.png"
    shown = svg.replace("Fira Code", FONTS)
    page.write_text(f"<!doctype html><meta charset='utf-8'><body style='margin:0;background:#0d1117'>{shown}</body>", "utf-8")
    window = f"--window-size={WIDTH},{WIDTH}"
    command = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", window, f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with Image.open(picture) as image:
        return image.convert("RGB").crop((0, 0, WIDTH, height(svg)))


def height(svg: str) -> int:
    """Of the picture when it is as wide as the page."""
    wide, high = svg.partition('viewBox="0 0 ')[2].partition('"')[0].split()
    return round(float(high) / float(wide) * WIDTH)


async def main(target: Path) -> None:
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    found = [each async for each in pictures()]
    with TemporaryDirectory() as folder:
        first, *others = [drawn(svg, Path(folder)) for svg, _ in found]
    times = [round(1000 * seconds) for _, seconds in found]
    first.save(target, save_all=True, append_images=others, duration=times, loop=0, lossless=True, method=6)
    sys.stdout.write(f"{target}: {len(times)} pictures, {target.stat().st_size / 1e6:.2f} MB\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))

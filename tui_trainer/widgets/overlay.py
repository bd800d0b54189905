"""Pictures whose pixels lie over cells, which the drawing of cells knows nothing of.

The cells below have the picture in half-blocks, so that what is written is right without the pixels too. Whatever writes to a
cell takes the pixels away that lie there: so what was written says which pictures are gone. One of which all is in view is sent
again; of another what may be left is written over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.cells import cell_len
from textual.app import App
from textual.geometry import Region, Spacing
from textual.widget import Widget

from tui_trainer.widgets.panel import Panel

MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")
CODE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-GI-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b[78]", re.DOTALL)
"""All others, which take no cell."""
MOST = 1 << 17
"""Characters that follow a frame at the most, unless a single picture has more."""
LAST_LINE = Spacing(0, 0, 1, 0)
"""Below a picture that reaches it a terminal may scroll."""


class Written:
    """The cells that a frame has written to."""

    def __init__(self, words: str) -> None:
        self._rows: dict[int, list[tuple[int, int]]] = {}
        _, *parts = MOVE.split(CODE.sub("", words))
        for row, column, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            if width := cell_len(text.partition("\n")[0]):
                self._rows.setdefault(int(row) - 1, []).append((int(column) - 1, int(column) - 1 + width))

    def __bool__(self) -> bool:
        return bool(self._rows)

    def touches(self, region: Region) -> bool:
        return any(self._of(row, region) for row in range(region.y, region.bottom))

    def covers(self, region: Region) -> bool:
        return all(self._of(row, region) >= region.width for row in range(region.y, region.bottom))

    def _of(self, row: int, region: Region) -> int:
        """How many cells, of a row of a region."""
        total, at = 0, region.x
        for first, last in sorted(self._rows.get(row, ())):
            cells = range(max(first, at), min(last, region.right))
            total, at = total + len(cells), max(at, cells.stop)
        return total


class Overlay:
    """Of the whole console."""

    def __init__(self, app: App[Any], write: Callable[[str], None]) -> None:
        self._app, self._write = app, write
        self._wanted: dict[Panel[Any], Mapping[Region, str]] = {}
        self._lying: dict[Region, str] = {}
        """On the screen."""
        self._late: set[Region] = set()
        """Where one is to lie that was too much for its frame. No cell is written to again for it: that takes away what lies to
        the left of it, which would be too much then, and so on."""

    def put(self, panel: Panel[Any], pictures: Mapping[Region, str]) -> None:
        """All that lie over a panel from now on, by where they do among its lines."""
        before = self._wanted.pop(panel, {})
        if pictures:
            self._wanted[panel] = pictures
        if new := [part for part, picture in pictures.items() if before.get(part) != picture]:
            panel.refresh(*(part.translate(-panel.scroll_offset) for part in new))

    def clear(self) -> None:
        """What lies there no more, and is not to."""
        self._lying.clear()
        self._wanted.clear()
        self._late.clear()

    def follow(self, words: str) -> str:
        """What is to be written after a frame."""
        if not (self._wanted or self._lying) or not (written := Written(words)):
            return ""
        seen = self._seen()
        if left := self._gone(written, seen):
            self._app.call_later(self._write_over, left)
        self._late = {region for region in seen if region in self._late or written.touches(region)}
        return self._next(seen)

    def _next(self, seen: Mapping[Region, str]) -> str:
        """Of those that do not lie there yet."""
        more, length = list[str](), 0
        for region in [region for region in seen if region in self._late and region not in self._lying]:
            if more and length + len(seen[region]) > MOST:
                self._app.call_later(self._go_on)
                break
            self._late.remove(region)
            self._lying[region], length = seen[region], length + len(seen[region])
            more.append(f"\x1b[{region.y + 1};{region.x + 1}H{seen[region]}")
        return f"\x1b7{''.join(more)}\x1b8" if more else ""

    def _go_on(self) -> None:
        self._write(self._next(self._seen()))

    def _gone(self, written: Written, seen: Mapping[Region, str]) -> list[Region]:
        """Forget what does not lie there as it did; where some of it may be left, which is written over."""
        left = list[Region]()
        for region, picture in list(self._lying.items()):
            stays = seen.get(region) == picture
            if stays and not written.touches(region):
                continue
            del self._lying[region]
            if not stays and not written.covers(region):
                left.append(region)
        return left

    def _write_over(self, regions: Iterable[Region]) -> None:
        self._app.screen.refresh(*regions)

    def _seen(self) -> dict[Region, str]:
        """Those of which all can be seen, by where they are on the screen."""
        found: dict[Region, str] = {}
        for panel, pictures in self._wanted.items():
            if panel.is_attached and panel.screen is self._app.screen:
                found |= _seen_of(panel, pictures)
        return found


def _seen_of(panel: Panel[Any], pictures: Mapping[Region, str]) -> dict[Region, str]:
    shown = panel.screen._compositor.visible_widgets
    if panel not in shown:
        return {}
    above, clip = _above(panel, shown), shown[panel][1]
    lines = panel.screen.size.region.shrink(LAST_LINE)
    window = panel.scrollable_content_region.intersection(clip).intersection(lines)
    by = panel.scrollable_content_region.offset - panel.scroll_offset
    placed = {part.translate(by): picture for part, picture in pictures.items()}
    return {
        region: picture
        for region, picture in placed.items()
        if window.contains_region(region) and not any(map(region.overlaps, above))
    }


def _above(panel: Widget, shown: Mapping[Widget, tuple[Region, Region]]) -> list[Region]:
    """What is drawn over a widget; the topmost are the first."""
    found = list[Region]()
    for widget, (region, clip) in shown.items():
        if widget is panel:
            break
        found.append(region.intersection(clip))
    return found

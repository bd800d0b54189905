"""Trackio: its store on this machine (TRACKIO_DIR), into which its own client would write too. Nothing goes to a server."""

from __future__ import annotations

import os
import re
import secrets
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from core.errors import UserError
from core.run.folder import RunFolder
from tui_trainer.trackers._base import About, Confusion, Ending, Point, Tracker

PROJECT = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
RUN = re.compile(r"[0-9a-f]{32}")


class Trackio(Tracker):
    """A row for each moment, by the store's own function for many rows, since its client gives each the time of its arrival. A
    row has a name of its own there, so that it is taken once. What a rewind took back stays; ``rewinds`` counts up."""

    LIBRARY: ClassVar[str] = "trackio"
    PLACE: ClassVar[str] = "PROJECT"

    def __init__(self, about: About, place: str) -> None:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        super().__init__(about, place)
        self._id = ""

    @classmethod
    def resolved(cls, run: RunFolder, place: str) -> str:
        project = place or os.environ.get("TRACKIO_PROJECT") or "tui-trainer"
        if not PROJECT.fullmatch(project):
            raise UserError(f"trackio:{place}: expected a project of at most 64 letters, digits, '_', '-' and '.'")
        return project

    @property
    def hint(self) -> str:
        return f"trackio show --project {shlex.quote(self.place)}"

    def begin(self, known: str, step: int) -> str:
        self._id = known if RUN.fullmatch(known) else secrets.token_hex(16)
        return self._id

    def describe(self) -> None:
        """Every row has it."""

    def scalars(self, points: Sequence[Point]) -> None:
        rows = [{**point.values, "epoch": point.epoch} for point in points]
        steps, times = [point.step for point in points], [point.time for point in points]
        self._write(rows, steps, times, [str(point.seq) for point in points])

    def confusion(self, found: Confusion) -> None:
        from trackio import Table

        head = ["true class", *found.classes]
        rows = [[name, *row] for name, row in zip(found.classes, found.counts, strict=True)]
        table = Table(columns=head, data=rows)._to_dict(self.place, self.about.name, found.step)
        self._write([{found.name: table}], [found.step], [found.time], [f"{found.seq}-confusion"])

    def taken_back(self, step: int, time: float) -> None:
        """The rows from here on say so."""

    def ended(self, ending: Ending) -> None:
        if ending.best:
            self._write([ending.best], [ending.step], [ending.time], [f"end-{ending.step}"])

    def flush(self) -> None:
        """Every row is in the store."""

    def close(self) -> None:
        """It holds nothing open."""

    def _write(self, rows: Sequence[dict[str, Any]], steps: list[int], times: list[float], names: Sequence[str]) -> None:
        from trackio.sqlite_storage import SQLiteStorage

        counted = [{**row, "rewinds": self.rewinds} for row in rows] if self.rewinds else list(rows)
        SQLiteStorage.bulk_log(
            project=self.place, run=self.about.name, run_id=self._id, metrics_list=counted, steps=steps,
            timestamps=[datetime.fromtimestamp(time, UTC).isoformat() for time in times], config=self._config(),
            log_ids=[f"{self._id}-{name}" for name in names],
        )  # fmt: skip

    def _config(self) -> dict[str, Any]:
        """With what its own client puts beside it, but for the person's name."""
        told = {name: value for name, value in self.about.settings.items() if not name.startswith("_")}
        created = datetime.fromtimestamp(self.about.created, UTC).isoformat()
        return {**told, "versions": self.about.versions, "_Username": None, "_Created": created, "_Group": None}

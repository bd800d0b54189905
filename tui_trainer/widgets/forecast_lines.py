"""What the run that is being typed will be and take, in two lines."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from rich.text import Text
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from core.errors import UserError
from tui_trainer.draft import Draft
from tui_trainer.escape import printable
from tui_trainer.listing import Listing

STILL = 0.4
"""Seconds without a key after which it is looked for: a network that is new takes a process that loads torch."""
READING = 2.0
"""Seconds that earlier runs may be read for."""


class ForecastLines(Static):
    """Worked out beside the screen."""

    @dataclass
    class Found(Message):
        draft: Draft
        lines: tuple[str, ...]
        wrong: bool = False

    def __init__(self, runs: Path) -> None:
        super().__init__("working out its size ...")
        self._runs, self._listing = runs, Listing(runs)
        self._waiting: Timer | None = None
        self._asked: Draft | None = None

    def ask(self, draft: Draft | None) -> None:
        """For this draft, once nothing has been typed for a moment; None for one that is wrong."""
        if draft == self._asked:
            return
        self._asked = draft
        if self._waiting:
            self._waiting.stop()
        if draft is None:
            self.update("")
        else:
            self._waiting = self.set_timer(STILL, lambda: self._look(draft))

    def _look(self, draft: Draft) -> None:
        """In a thread that nobody waits for who leaves the console."""
        Thread(target=self._work_out, args=(draft,), name="forecast", daemon=True).start()

    def _work_out(self, draft: Draft) -> None:
        from tui_trainer import forecast

        try:
            found = forecast.forecast(draft.build(), self._runs, self._listing.scan(READING), draft.code)
            answer = self.Found(draft, forecast.words(found), wrong=not found.fits)
        except UserError as error:
            answer = self.Found(draft, (str(error),), wrong=True)
        with suppress(RuntimeError):  # the console has been left meanwhile
            self.post_message(answer)

    def on_forecast_lines_found(self, event: Found) -> None:
        event.stop()
        if event.draft == self._asked:
            self.set_class(event.wrong, "wrong")
            self.update(Text("\n".join(map(printable, event.lines))))

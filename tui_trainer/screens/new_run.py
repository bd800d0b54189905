"""The form that starts a run, in a box over Home."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from core.run.folder import RunFolder
from tui_trainer.draft import Again
from tui_trainer.escape import printable
from tui_trainer.screens.dialog import Dialog
from tui_trainer.widgets.new_run_form import NewRunForm
from tui_trainer.widgets.too_small import TooSmall


class NewRunScreen(Dialog[RunFolder | None]):
    """The form in a box; gives back the run that it started, or None."""

    CSS_PATH = "new_run.tcss"
    BINDINGS = [Binding("escape", "cancel", "Cancel")]

    def __init__(self, runs: Path, again: Again | None = None, log: Sequence[str] = ()) -> None:
        super().__init__()
        self.runs, self.again, self.log_to = runs, again, log

    def compose(self) -> ComposeResult:
        with Vertical(id="new-run") as box:
            box.border_title = "begin again, with changes" if self.again else "new run"
            box.border_subtitle = "enter starts · esc cancels"
            yield NewRunForm(self.runs, self.again, self.log_to)
        yield TooSmall()

    def on_new_run_form_started(self, event: NewRunForm.Started) -> None:
        self.dismiss(event.run)

    def on_new_run_form_queued(self, event: NewRunForm.Queued) -> None:
        self.notify(f"{printable(event.entry.name)} is queued", markup=False)
        self.dismiss(None)

    def action_cancel(self) -> None:
        """Give up the start under way, else close the box."""
        form = self.query_one(NewRunForm)
        if form.starting:
            form.cancel()
        else:
            self.dismiss(None)

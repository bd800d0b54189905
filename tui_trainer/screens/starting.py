"""How runs are started from a list of them: new ones, the same again, and those that have ended. What that takes is loaded when
somebody does it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from core.errors import UserError
from core.run.folder import RunFolder
from tui_trainer.escape import printable
from tui_trainer.screens.tending import TendingScreen

if TYPE_CHECKING:
    from tui_trainer.draft import Again
    from tui_trainer.widgets.new_run_form import NewRunForm


class StartingScreen(TendingScreen):
    """``runs`` is the folder."""

    runs: Path

    def action_new_run(self) -> None:
        if self.has_class("empty"):
            self.query_one("#recipe").focus()
        else:
            self._ask_for_run()

    def action_again(self) -> None:
        from tui_trainer.draft import Again

        if selected := self.selected:
            try:
                again = Again.of(selected.run)
            except UserError as error:
                self._say(str(error), bad=True)
            else:
                self._ask_for_run(again)

    def _ask_for_run(self, again: Again | None = None) -> None:
        from tui_trainer.screens.new_run import NewRunScreen

        self.app.push_screen(NewRunScreen(self.runs, again, self.trainer.settings.log), self._open_started)

    def _open_started(self, run: RunFolder | None) -> None:
        if run:
            self.trainer.show_run(run)

    def on_new_run_form_started(self, event: NewRunForm.Started) -> None:
        self.trainer.show_run(event.run)

    def on_new_run_form_queued(self) -> None:
        self.scan()

    def action_resume(self) -> None:
        if selected := self.selected:
            self.notify(f"going on with {printable(selected.run.name)} ...", markup=False)
            self._resume(selected.run)

    @work(thread=True, exclusive=True, group="resume")
    def _resume(self, run: RunFolder) -> None:
        from tui_trainer.forwarding import followers

        try:
            followers.start(run, self.trainer.settings.log)
        except (UserError, OSError) as error:
            self.app.call_from_thread(self.notify, printable(str(error)), severity="error", markup=False)
        else:
            self.app.call_from_thread(self.trainer.show_run, run)

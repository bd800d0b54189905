"""One value to type: what is wrong with it is said as it is typed, and where it changes the plan, the plan is drawn before it
is confirmed."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui_trainer.escape import printable
from tui_trainer.screens.dialog import Dialog
from tui_trainer.screens.question import Question
from tui_trainer.widgets.field import TYPED
from tui_trainer.widgets.plan_chart import PlanChart
from tui_trainer.widgets.too_small import TooSmall


class AskScreen(Dialog[str | None]):
    """Gives back a value that is not wrong, or None."""

    CSS_PATH = "ask.tcss"
    BINDINGS = [Binding("escape", "leave", "Cancel", show=False)]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        question = self._question
        with Vertical(id="ask") as box:
            box.border_title = Text(printable(question.title))
            box.border_subtitle = Text("enter confirms, esc leaves")
            yield Static(Text(printable(question.hint)), id="hint")
            yield Input(question.value, restrict=TYPED, select_on_focus=not question.kept, compact=True, id="value")
            yield Static(id="wrong")
            if question.planned:
                yield PlanChart(question.planned.past, question.planned.now)
        yield TooSmall()

    def on_input_changed(self, event: Input.Changed) -> None:
        wrong = self._question.wrong(event.value)
        line = self.query_one("#wrong", Static)
        line.set_class(bool(wrong), "wrong")
        line.update(Text(printable(wrong)))
        if planned := self._question.planned:
            self.query_one(PlanChart).plan = planned.now if wrong else planned.after(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if wrong := self._question.wrong(event.value):
            self.notify(printable(wrong), severity="warning", markup=False)
        else:
            self.dismiss(event.value)

    def action_leave(self) -> None:
        self.dismiss(None)

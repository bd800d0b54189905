"""A question with a few answers, each with its key."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Button, Static

from tui_trainer.screens.dialog import Dialog
from tui_trainer.screens.question import CANCEL, Choice
from tui_trainer.widgets.too_small import TooSmall


class ConfirmScreen(Dialog[str]):
    """Gives back the id of the choice; ``escape`` always means ``cancel``."""

    CSS_PATH = "confirm.tcss"

    def __init__(self, question: str, choices: tuple[Choice, ...]) -> None:
        super().__init__()
        self._question = question
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical(id="confirm"):
            yield Static(self._question, id="question", markup=False)
            for choice in self._choices:
                key = "esc" if choice.key == "escape" else choice.key
                yield Button(Text(f"{key:>3}  {choice.label}"), id=choice.id, compact=True)
        yield TooSmall()

    def on_mount(self) -> None:
        """With enter alone nothing is lost."""
        self.query_one(f"#{next(choice.id for choice in self._choices if not choice.destroys)}").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id or CANCEL.id)

    def on_key(self, event: events.Key) -> None:
        chosen = next((choice for choice in self._choices if choice.key == event.key), None)
        if chosen:
            event.stop()
            self.dismiss(chosen.id)
        elif event.key in ("down", "up"):
            event.stop()
            self.focus_next() if event.key == "down" else self.focus_previous()

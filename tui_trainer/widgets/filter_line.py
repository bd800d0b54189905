"""The line under the list of runs into which a filter is typed."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui_trainer.widgets.field import TYPED

EXAMPLE = "fast  acc>0.9  !paused  #tag  recipe:seed  age<2d  size>500MB"


class FilterText(Input):
    BINDINGS = [Binding("enter", "submit", "To the list")]


class FilterLine(Horizontal):
    """There only while something is typed or filtered; ``enter`` goes back to the list, and what was typed stays."""

    BINDINGS = [
        Binding("down,up,pagedown,pageup", "leave", show=False),
        Binding("escape", "screen.unfilter", "All runs"),
    ]

    @dataclass
    class Changed(Message):
        text: str

    class Left(Message):
        """Back to the list."""

    def compose(self) -> ComposeResult:
        yield Static("/", classes="slash")
        yield FilterText(placeholder=EXAMPLE, restrict=TYPED, compact=True, id="filter-text")

    @property
    def text(self) -> str:
        return self.query_one(Input).value

    @property
    def typing(self) -> bool:
        return self.has_pseudo_class("focus-within")

    def open(self) -> None:
        self.display = True
        self.query_one(Input).focus()

    def clear(self) -> None:
        self.query_one(Input).value = ""
        self.display = False

    @on(Input.Changed)
    def _tell(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()

    def action_leave(self) -> None:
        self.display = bool(self.text.strip())
        self.post_message(self.Left())

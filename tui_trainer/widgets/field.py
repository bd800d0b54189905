"""One row of a form: a label, its control, and under them a note or what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from tui_trainer.escape import printable

TYPED = r"[^\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb]*"
"""What may be typed or pasted; what does not print could neither be seen nor be shown."""


class Choice(Select[str], inherit_bindings=False):
    """A compact list to choose from. Up and down are left to the form, which walks through its fields with them."""

    BINDINGS = [Binding("enter,space", "show_overlay", "Choose", show=False)]


class Field(Vertical):
    """``note`` and ``error`` take text from outside too: it is escaped, and markup is not read."""

    DEFAULT_CSS = """
    Field { height: auto; }
    Field > Horizontal { height: 1; }
    Field .field-label { width: 9; color: $quiet; }
    Field.focused .field-label { color: $primary; text-style: bold; }
    Field .field-note { height: auto; min-height: 1; padding-left: 10; color: $quiet; }
    Field.missing .field-note { color: $warning; }
    Field.wrong .field-note { color: $error; }
    """

    def __init__(self, label: str, control: Widget, id: str) -> None:
        super().__init__(id=id)
        self._label = label
        self._control = control
        self._note = ""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._label, classes="field-label", markup=False)
            yield self._control
        yield Static(classes="field-note")

    def on_descendant_focus(self) -> None:
        self.add_class("focused")

    def on_descendant_blur(self) -> None:
        self.remove_class("focused")

    def note(self, text: str) -> None:
        """The quiet line under the control; an error stands before it."""
        self._note = text
        if not self.has_class("wrong"):
            self._show(text)

    def error(self, text: str) -> None:
        """What is wrong in one line; empty text takes it back."""
        self.set_class(bool(text), "wrong")
        self._show(text or self._note)

    def _show(self, text: str) -> None:
        self.query_one(".field-note", Static).update(Text(printable(text)))


class Form(Vertical):
    """Has fields, whose ids are those of their controls and ``-field``."""

    def field(self, name: str) -> Field:
        return self.query_one(f"#{name}-field", Field)

    def chosen(self, name: str) -> str:
        value = self.query_one(f"#{name}", Select).value
        return value if isinstance(value, str) else ""

    def typed(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value


def choice(values: Sequence[str], id: str, value: str = "") -> Choice:
    return Choice(options(values), value=value or values[0], allow_blank=False, compact=True, id=id)


def options(values: Sequence[str]) -> list[tuple[Text, str]]:
    return [(Text(printable(text)), text) for text in values]


def entry(id: str, placeholder: str = "", value: str = "", suggester: Suggester | None = None) -> Input:
    """With a suggester it holds several words, and what is typed comes to those that are there."""
    return Input(
        value, placeholder, suggester=suggester, select_on_focus=suggester is None, compact=True, id=id, restrict=TYPED
    )

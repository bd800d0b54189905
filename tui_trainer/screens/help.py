"""Keys and commands, made from the table of actions."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from tui_trainer import actions
from tui_trainer.actions import Action, Scope
from tui_trainer.bindings import keymap
from tui_trainer.keymap import Keymap, written
from tui_trainer.screens.dialog import Dialog
from tui_trainer.theme import Palette, palette
from tui_trainer.widgets.too_small import TooSmall

SECTIONS: tuple[tuple[Scope, str], ...] = (
    ("home", "On Home"),
    ("run", "On a run"),
    ("either", "On Home and on a run"),
    ("view", "Its pages and panels"),
    ("replay", "Looking back"),
    ("plots", "On a plot"),
    ("classes", "On its page of classes"),
    ("table", "In its table"),
    ("matrix", "In the confusion matrix"),
    ("pictures", "On its page of pictures"),
    ("mistakes", "Among its mistakes"),
    ("checkpoints", "On the checkpoints"),
    ("log", "On the worker's log"),
    ("compare", "Comparing runs"),
    ("sweep", "On a sweep"),
    ("anywhere", "Everywhere"),
)
MOUSE = (
    "The mouse works too: a click focuses or selects, on the head of a list it orders, the keys in the footer are buttons, the "
    "wheel scrolls. Over a plot the crosshair follows it and a click holds that there; the wheel goes closer where there is "
    "nothing to scroll or the plot is focused, and with shift it moves along the steps."
)


class HelpScreen(Dialog[None]):
    """A box over the present screen; it scrolls where the terminal is low."""

    CSS_PATH = "help.tcss"
    BINDINGS = [
        Binding("escape,q,question_mark", "dismiss", "Close", key_display="esc"),
        Binding("down,j", "scroll('down')", show=False),
        Binding("up,k", "scroll('up')", show=False),
    ]

    def __init__(self, first: tuple[Scope, ...] = ()) -> None:
        """``first``: what is asked about, in that order."""
        super().__init__()
        self._sections = sorted(SECTIONS, key=lambda section: first.index(section[0]) if section[0] in first else len(first))

    def compose(self) -> ComposeResult:
        with Vertical(id="help") as box:
            box.border_title = "keys and commands"
            box.border_subtitle = "esc closes"
            with VerticalScroll(id="help-body"):
                for scope, title in self._sections:
                    yield Static(title, classes="help-section", markup=False)
                    yield Static(classes="help-table", id=f"help-{scope}")
                yield Static(MOUSE, id="help-mouse", markup=False)
        yield TooSmall()

    def on_mount(self) -> None:
        self.query_one("#help-body").focus()
        colours = palette(self.app.theme_variables)
        for scope, _ in self._sections:
            self.query_one(f"#help-{scope}", Static).update(section(scope, colours, keymap(self)))


def section(scope: Scope, colours: Palette, keymap: Keymap = Keymap()) -> Table:
    """The actions of one scope in three columns: keys, what they do, the command that does the same."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=11)
    table.add_column(ratio=1)
    table.add_column(width=24)
    for action in _of(scope):
        table.add_row(
            Text(keys(action, keymap), style=colours.held_out),
            Text.assemble((action.label, "bold"), "  ", (action.help, colours.muted)),
            Text(action.cli or "", style=colours.train),
        )
    return table


def keys(action: Action, keymap: Keymap = Keymap()) -> str:
    """An action's keys as they are on the keyboard; those of the menu of changes come after its own."""
    menu = [f"{keymap.shown('change')} {action.menu}"] if action.menu else []
    return " ".join([*map(written, keymap.keys(action)), *menu])


def _of(scope: Scope) -> Iterator[Action]:
    return (action for action in actions.TABLE if action.scope == scope)

"""One table of everything a person can do. Key bindings, the footer, the command palette, the help screen and the commands'
own help all read it, so that they never disagree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.view.state import State
from tui_trainer.possible import (
    always,
    can_go_back,
    can_leave,
    can_resume,
    can_rewind,
    can_stop_early,
    can_validate,
    is_live,
    is_paused,
    is_queued,
    is_running,
    is_training,
)

Scope: TypeAlias = Literal[
    "run", "home", "replay", "either", "view", "anywhere",
    "plots", "classes", "table", "matrix", "pictures", "mistakes", "checkpoints", "log", "compare",
    "sweep",
]  # fmt: skip
"""Of a screen, of several of them, or of panels, whose keys count while such a panel has the focus."""
SHARED: dict[Scope, tuple[Scope, ...]] = {
    "run": ("either", "view", "anywhere"), "home": ("either", "anywhere"), "replay": ("view", "anywhere"),
    "compare": ("anywhere",), "sweep": ("anywhere",),
}  # fmt: skip
"""What the screens have beside their own."""


@dataclass(frozen=True)
class Action:
    """``id`` names the screen's method too (``action_<id>``); ``keys`` are Textual's names, the first is in the footer."""

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    scope: Scope
    enabled: Callable[[State], bool] = always
    """Whether it can be done to the run in this state (on Home: to the selected run)."""
    cli: str | None = None
    """The command that does the same without the console."""
    in_footer: bool = True
    menu: str = ""
    """Its key in the menu of changes."""


def told(id: str, menu: str, label: str, help: str, enabled: Callable[[State], bool], change: str, *keys: str) -> Action:
    """An entry of the menu of changes."""
    return Action(id, keys, label, help, "run", enabled, f"tui-trainer tell RUN {change}", in_footer=False, menu=menu)


REWIND = told("rewind", "w", "Rewind ...", "Go back to a checkpoint, and on from there", can_rewind, "rewind=CHECKPOINT")
MARKS = "To the resume, rewind, setting, remark or named checkpoint before"

TABLE: tuple[Action, ...] = (
    Action("open", ("enter",), "Open", "Look at the selected run", "home", cli="tui-trainer attach RUN"),
    Action(
        "new_run", ("n",), "New run", "Choose a recipe and data, and start training", "home", cli="tui-trainer train RECIPE"
    ),
    Action(
        "filter", ("slash",), "Filter", "For instance: fast acc>0.9 !paused #tag", "home", cli="tui-trainer runs --filter TEXT"
    ),
    Action("order_next", ("o",), "Order", "By the next column, at last as before", "home", cli="tui-trainer runs --sort best"),
    Action("order_turn", ("O",), "Turn round", "The other way up", "home", in_footer=False),
    Action("mark", ("space",), "Mark", "Delete, tag and compare the marked runs together", "home", in_footer=False),
    Action("unfilter", ("escape",), "All runs", "Take the filter back, then the marks", "home", in_footer=False),
    Action("compare_runs", ("C",), "Compare", "The marked runs, 2 to 8, side by side", "home", in_footer=False),
    Action("again", ("y",), "Again", "A new run of the same recipe, with changes", "home", in_footer=False),
    Action("tag", ("e",), "Tags", "Words pinned to the run", "home", cli="tui-trainer tag RUN WORD", in_footer=False),
    Action("rename", ("N",), "Rename", "Another name for the run", "home", cli="tui-trainer rename RUN NAME", in_footer=False),
    Action(
        "delete",
        ("D",),
        "Delete",
        "Asks first; for good when the console is left",
        "home",
        cli="tui-trainer delete RUN",
        in_footer=False,
    ),
    Action(
        "cancel_queued", ("x",), "Cancel", "Out of the queue (asks first)", "home", is_queued, "tui-trainer queue cancel NAME"
    ),
    Action("queue_up", ("K", "shift+up"), "Earlier", "Up the queue", "home", is_queued, "tui-trainer queue move NAME --to 1"),
    Action("queue_down", ("J", "shift+down"), "Later", "Down the queue", "home", is_queued),
    Action("sweeps", ("s",), "Sweeps", "Trials of a sweep", "home", cli="tui-trainer sweeps", in_footer=False),
    Action("undelete", ("u",), "Undelete", "Bring the run back that was deleted last", "home", in_footer=False),
    Action("pause", ("p",), "Pause", "Stop after the present step and wait", "run", is_running, "tui-trainer pause RUN"),
    Action("continue", ("p",), "Continue", "Go on where the run was paused", "run", is_paused, "tui-trainer continue RUN"),
    Action(
        "save", ("s",), "Save", "Write a checkpoint now and keep it", "run", is_training, "tui-trainer save RUN --name NAME"
    ),
    Action("stop", ("x",), "Stop", "Save, then end the training (asks first)", "run", is_live, "tui-trainer stop RUN"),
    Action("change", ("c",), "Change", "All that can be told a training run, in a list", "run", is_live),
    told("save_named", "s", "Save as ...", "A checkpoint now, under a name of your own", is_training, "save=NAME", "S"),
    told("validate", "v", "Validate", "Measure the held-out images now", can_validate, "validate=now", "v"),
    told("halve_rate", "h", "Learning rate x0.5", "Half of it from the next step on", is_training, "learning-rate=x0.5"),
    told("double_rate", "d", "Learning rate x2", "Twice of it from the next step on", is_training, "learning-rate=x2"),
    told("set_rate", "l", "Learning rate ...", "Another one; its curve is drawn first", is_training, "learning-rate=1e-4"),
    told("set_epochs", "e", "Epochs ...", "More or fewer; the curve is drawn first", is_training, "epochs=+5"),
    told("set_patience", "p", "Patience ...", "How long nothing need improve", can_stop_early, "patience=5"),
    told("switch_early_stopping", "o", "Early stopping", "On or off", can_stop_early, "early-stopping=off"),
    REWIND,
    told("remark", "n", "Remark ...", "A note pinned to the present step", is_training, "remark=TEXT", "n"),
    told("stop_after_epoch", "t", "Stop after epoch", "Once it is measured and saved", is_training, "stop-after-epoch=yes"),
    told("stop_now", "x", "Stop now", "Save, then end the training", is_live, "stop=now"),
    told("discard", "D", "Discard ...", "End without saving (asks); nothing is removed", is_live, "discard=yes"),
    Action("resume", ("r",), "Resume", "Go on from the last checkpoint", "either", can_resume, "tui-trainer resume RUN"),
    Action("detach", ("d",), "Detach", "Back to the shell; training goes on", "run", can_leave, "tui-trainer attach RUN"),
    Action("show_overview", ("1",), "Overview", "Curves, classes and progress", "view", in_footer=False),
    Action("show_plots", ("2",), "Plots", "Every scalar of the run", "view", in_footer=False),
    Action("show_classes", ("3",), "Classes", "Accuracy by class, and what is taken for what", "view", in_footer=False),
    Action("show_pictures", ("4",), "Pictures", "What the network sees, and what it gets wrong", "view", in_footer=False),
    Action("show_details", ("5",), "Details", "Recipe, model, checkpoints, device and log", "view", in_footer=False),
    Action(
        "export_view",
        ("E",),
        "Export view",
        "The page as SVG, a focused plot also as CSV, into the present folder",
        "view",
        cli="tui-trainer picture RUN",
        in_footer=False,
    ),
    Action("next_panel", ("tab", "right_square_bracket"), "Next panel", "Focus the next panel", "view", in_footer=False),
    Action("previous_panel", ("shift+tab", "left_square_bracket"), "Panel before", "Focus that one", "view", in_footer=False),
    Action("zoom", ("z", "enter"), "Zoom", "Show the focused panel alone, or all of them again", "view"),
    Action("arrange", ("L",), "Panels ...", "Show or hide panels of this page", "view", in_footer=False),
    Action("copy", ("Y",), "Copy ...", "A value of the focused panel or of the run to the clipboard", "view", in_footer=False),
    Action("compare", ("m",), "Compare", "Two epochs side by side: the best and the latest", "classes", in_footer=False),
    Action("later_back", ("comma",), "Epoch back", "Compare an earlier one", "classes", in_footer=False),
    Action("later_on", ("full_stop",), "Epoch on", "Compare a later one", "classes", in_footer=False),
    Action("earlier_back", ("less_than_sign",), "First epoch back", "Compare with an earlier one", "classes", in_footer=False),
    Action("earlier_on", ("greater_than_sign",), "First epoch on", "Compare with a later one", "classes", in_footer=False),
    Action("sort_next", ("o",), "Order", "By the next column", "table", in_footer=False),
    Action("sort_reverse", ("O",), "Reverse", "The order turned round", "table", in_footer=False),
    Action("cell_up", ("up", "k"), "Up", "The cell above", "matrix", in_footer=False),
    Action("cell_down", ("down", "j"), "Down", "The cell below", "matrix", in_footer=False),
    Action("cell_left", ("left",), "Left", "The cell to the left", "matrix", in_footer=False),
    Action("cell_right", ("right",), "Right", "The cell to the right", "matrix", in_footer=False),
    Action("cell_first", ("home",), "First", "The first class, rightly guessed", "matrix", in_footer=False),
    Action("cell_last", ("end",), "Last", "The last class, rightly guessed", "matrix", in_footer=False),
    Action("units", ("percent_sign",), "Per cent", "Shares of the true class, or numbers of images", "matrix", in_footer=False),
    Action("next_class", ("i",), "Class", "Mistakes of the next class", "mistakes", in_footer=False),
    Action("previous_class", ("I",), "Class back", "Mistakes of the class before", "mistakes", in_footer=False),
    Action("next_pair", ("w",), "Pair", "The next pair of classes that is mixed up", "mistakes", in_footer=False),
    Action("previous_pair", ("W",), "Pair back", "The pair before", "mistakes", in_footer=False),
    Action("all_pictures", ("0",), "All", "Of every class again", "mistakes", in_footer=False),
    Action("next_pictures", ("full_stop", "pagedown"), "More", "The next pictures", "pictures", in_footer=False),
    Action("previous_pictures", ("comma", "pageup"), "Back", "The pictures before", "pictures", in_footer=False),
    Action("later_pictures", ("greater_than_sign",), "Epoch on", "Pictures of a later epoch", "pictures", in_footer=False),
    Action("earlier_pictures", ("less_than_sign",), "Epoch back", "Pictures of an earlier epoch", "pictures", in_footer=False),
    Action("next_scalar", ("n", "tab"), "Next curves", "Draw the next scalar of the runs", "compare"),
    Action("previous_scalar", ("N", "shift+tab"), "Curves before", "Draw the scalar before", "compare", in_footer=False),
    Action("next_axis", ("x",), "Axis", "Along steps, epochs or the time trained, without pauses", "compare"),
    Action(
        "next_front", ("i",), "In front", "One run, the others faint; the next; all alike again", "compare", in_footer=False
    ),
    Action("next_reference", ("d",), "Difference to", "The first run, or the best of each class", "compare"),
    Action("order_classes", ("o",), "Order", "Classes with the largest differences first, or in their order", "compare"),
    Action("next_split", ("v",), "Split", "Classes on another split", "compare"),
    Action(
        "show_compared_curves",
        ("1",),
        "Curves",
        "A scalar of all runs in one plot",
        "compare",
        cli="tui-trainer compare RUN RUN",
        in_footer=False,
    ),
    Action("show_compared_results", ("2",), "Results", "How the runs stand, and the best of each", "compare", in_footer=False),
    Action("show_compared_classes", ("3",), "Classes", "Accuracy by class, and the differences", "compare", in_footer=False),
    Action("show_compared_recipes", ("4",), "Recipes", "The keys in which the recipes differ", "compare", in_footer=False),
    Action("leave_comparison", ("h", "escape"), "Home", "Back to the list of runs", "compare", cli="tui-trainer runs"),
    Action("open_trial", ("enter",), "Open", "Look at the trial's run", "sweep", cli="tui-trainer attach RUN"),
    Action("next_key", ("n", "tab"), "Next plot", "Values of the next key, or the best so far", "sweep"),
    Action("previous_key", ("N", "shift+tab"), "Plot before", "The one before", "sweep", in_footer=False),
    Action("order_trials", ("o",), "Order", "The best first, or as they came", "sweep", cli="tui-trainer sweeps NAME"),
    Action(
        "stop_sweep",
        ("x",),
        "Stop",
        "Its trial stops with a checkpoint (asks first); it can go on",
        "sweep",
        cli="tui-trainer sweep --stop NAME",
    ),
    Action("leave_sweep", ("h", "escape"), "Home", "To the list of runs; the sweep goes on", "sweep", cli="tui-trainer runs"),
    Action("home", ("h", "escape"), "Home", "Back to the list of runs; training goes on", "run", cli="tui-trainer runs"),
    Action("help", ("question_mark",), "Help", "Keys and commands", "anywhere", cli="tui-trainer --help"),
    Action("quit", ("q",), "Quit", "Leave; training goes on unless you stop it", "anywhere"),
    Action("next_theme", ("t",), "Theme", "Next colour theme", "anywhere", in_footer=False),
    Action("closer", ("plus", "equals_sign"), "Closer", "Fewer steps, around the crosshair", "plots", in_footer=False),
    Action("farther", ("minus",), "Farther", "More steps", "plots", in_footer=False),
    Action("earlier", ("less_than_sign", "shift+left"), "Earlier", "Move to earlier steps", "plots", in_footer=False),
    Action("later", ("greater_than_sign", "shift+right"), "Later", "Move to later steps", "plots", in_footer=False),
    Action("follow", ("f",), "Follow", "Move to the newest steps and stay there", "plots", in_footer=False),
    Action("whole", ("0",), "Whole", "All steps", "plots", in_footer=False),
    Action("cursor_left", ("left",), "Crosshair", "Read values, here and at earlier steps", "plots", in_footer=False),
    Action("cursor_right", ("right",), "Crosshair", "Read values at later steps", "plots", in_footer=False),
    Action("mark_before", ("ctrl+left",), "Mark before", "Crosshair to the mark before", "plots", in_footer=False),
    Action("mark_after", ("ctrl+right",), "Mark after", "Crosshair to the next mark", "plots", in_footer=False),
    Action("leave_cursor", ("escape",), "No crosshair", "Values of the latest step again", "plots", in_footer=False),
    Action("logarithm", ("y",), "Log scale", "Logarithmic values, or linear ones again", "plots", in_footer=False),
    Action("smoother", ("o",), "Smoothing", "Next weight of the past: none, 0.6, 0.8, 0.9, 0.97", "plots", in_footer=False),
    Action("marker", ("g",), "Marker", "Next way to draw lines: braille, blocks, dots, ASCII", "plots", in_footer=False),
    Action("replay", ("b",), "Look back", "Replay: the screen as it was at any moment", "run", in_footer=False),
    Action("back", ("left",), "Back", "A hundredth of the run back", "replay"),
    Action("forward", ("right",), "On", "A hundredth of the run on", "replay"),
    Action("previous_epoch", ("up",), "Epoch -", "To the end of the epoch before", "replay"),
    Action("next_epoch", ("down",), "Epoch +", "To the end of the epoch after", "replay"),
    Action("previous_mark", ("comma",), "Mark -", MARKS, "replay", in_footer=False),
    Action("next_mark", ("full_stop",), "Mark +", "The same, the next one", "replay", in_footer=False),
    Action("to_start", ("home",), "Start", "To the beginning of the run", "replay", in_footer=False),
    Action("to_end", ("end",), "End", "To its end, or as far as it has come", "replay", in_footer=False),
    Action("play", ("space",), "Play", "Run through it by itself, or hold", "replay"),
    Action("present", ("escape", "b"), "Now", "Out of the past; the run went on meanwhile", "replay"),
    Action("next_checkpoint", ("down", "j"), "Next", "Select the checkpoint below", "checkpoints", in_footer=False),
    Action("previous_checkpoint", ("up", "k"), "Previous", "Select the checkpoint above", "checkpoints", in_footer=False),
    Action("go_back", ("w",), "Rewind", "Go back to it, and on from there (asks)", "checkpoints", can_go_back, in_footer=False),
    Action(
        "export",
        ("e",),
        "Export",
        "Copy its weights into the present folder",
        "checkpoints",
        cli="tui-trainer export RUN --to model.onnx",
        in_footer=False,
    ),
    Action("search", ("slash",), "Search", "Find lines with a text", "log", in_footer=False),
    Action("next_match", ("n",), "Next match", "Go to the match below", "log", in_footer=False),
    Action("previous_match", ("N",), "Previous match", "Go to the match above", "log", in_footer=False),
)


def for_scope(scope: Scope) -> tuple[Action, ...]:
    """The actions of a screen, in the order of its footer, or those of a panel."""
    scopes = (scope, *SHARED.get(scope, ()))
    return tuple(action for action in TABLE if action.scope in scopes)


def menu() -> tuple[Action, ...]:
    """What can be changed while a run trains, in the order of its menu."""
    return tuple(action for action in TABLE if action.menu)


def by_id(action_id: str) -> Action | None:
    return next((action for action in TABLE if action.id == action_id), None)


def enabled_ids(scope: Scope, state: State) -> frozenset[str]:
    """Ids of the actions that can be done now."""
    return frozenset(action.id for action in for_scope(scope) if action.enabled(state))

"""The questions whose answers steer a run: what is proposed, what is wrong with a value, which command it comes to, and what
that is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core import commands
from core.view.readings import format_bytes, format_duration
from core.view.state import SavedCheckpoint, State
from core.view.words import count
from tui_trainer.escape import printable
from tui_trainer.screens.question import Entry, Planned, Question

if TYPE_CHECKING:
    from core.view.plan import Plan
    from core.view.series import Point


def rate_of(text: str, plan: Plan) -> float:
    """``1e-4``, or ``x0.5`` of the rate as it stands; raises ValueError."""
    factor = text.strip().lower().removeprefix("x")
    return plan.rate * float(factor) if factor != text.strip().lower() else float(factor)


def epochs_of(text: str, plan: Plan) -> int:
    """``60``, or ``+5`` or ``-3`` more than the run has; raises ValueError."""
    number = int(text.strip())
    return plan.epochs + number if text.strip().startswith(("+", "-")) else number


def learning_rate(state: State, plan: Plan) -> Question:
    def wrong(text: str) -> str:
        return _wrong(lambda: commands.wrong_rate(rate_of(text, plan)), "expected a number, or x and a factor: 1e-4, x0.5")

    return Question(
        "Learning rate",
        "A rate, or a factor: 1e-4, x0.5. The schedule goes on from it.",
        wrong,
        f"{plan.rate:.4g}",
        Planned(_past(state), plan, lambda text: plan.changed("learning_rate", rate_of(text, plan))) if plan.known else None,
    )


def epochs(state: State, plan: Plan) -> Question:
    def wrong(text: str) -> str:
        expected = "expected a whole number of epochs: 60, or more or fewer: +5, -3"
        return _wrong(lambda: commands.wrong_epochs(epochs_of(text, plan), max(state.epoch, 1)), expected)

    def after(text: str) -> Plan:
        wanted = epochs_of(text, plan)
        return plan if wanted == plan.epochs else plan.changed("epochs", wanted)  # the run changes nothing then

    return Question(
        "Epochs",
        f"{plan.epochs} now. How many, or how many more or fewer: 60, +5, -3.",
        wrong,
        str(plan.epochs),
        Planned(_past(state), plan, after) if plan.known else None,
    )


def patience(state: State) -> Question:
    def wrong(text: str) -> str:
        return _wrong(lambda: commands.wrong_patience(int(text)), "expected a whole number of epochs")

    since = f"{count(state.stopping.epochs_since, 'epoch')} without an improvement so far"
    return Question(
        "Patience", f"Epochs without an improvement that end the run; {since}.", wrong, str(state.stopping.patience)
    )


def name(state: State) -> Question:
    names = {saved.name for saved in state.checkpoints if saved.name}

    def wrong(text: str) -> str:
        if not text.strip():
            return "expected a name; named checkpoints are kept until somebody removes them"
        return commands.wrong_name(text) or ("there is a checkpoint of that name already" if text in names else "")

    return Question("Save a checkpoint", "Under which name? It is kept for good.", wrong, proposed(state))


def proposed(state: State) -> str:
    """A name that no checkpoint has yet."""
    return f"epoch-{state.epoch}-at-{state.step}"


def remark(state: State) -> Question:
    return Question("Remark", f"Pinned to step {state.step:,} of the run's history.", commands.wrong_remark)


def checkpoints(state: State, now: float) -> list[Entry]:
    """Newest first."""
    return [Entry(saved.checkpoint, saved.checkpoint, _about(saved, now)) for saved in reversed(state.checkpoints)]


def taken_back(state: State, saved: SavedCheckpoint) -> str:
    """What going back to it costs, in one sentence."""
    steps = count(max(state.step - saved.step, 0), "step")
    changes = sum(1 for mark in state.marks if mark.kind == "setting" and mark.step > saved.step)
    also = f" and {count(changes, 'setting')} changed since" if changes else ""
    verb = "is" if steps == count(1, "step") and not changes else "are"
    return f"Go back to {saved.checkpoint}? {steps}{also} {verb} taken back; later checkpoints without a name are removed."


def _about(saved: SavedCheckpoint, now: float) -> str:
    age = format_duration(max(now - saved.time, 0.0))
    facts = [f"epoch {saved.epoch}", f"'{saved.name}'" if saved.name else "", "best" if saved.best else ""]
    facts += [f"{age} ago", format_bytes(saved.bytes) if saved.bytes else ""]
    return "  ".join(filter(None, facts))


def _past(state: State) -> tuple[Point, ...]:
    series = state.series.get("train.learning_rate")
    return tuple(series.points()) if series else ()


def _wrong(check: Callable[[], str], expected: str) -> str:
    try:
        return check()
    except (ValueError, OverflowError):
        return expected


def spoken(command: commands.Command) -> str:
    """What a command is called until it is answered."""
    match command:
        case commands.SetLearningRate(value=value):
            return f"learning rate {value:.4g}"
        case commands.SetEpochs(value=value):
            return f"{value} epochs"
        case commands.SetEarlyStopping(enabled=None, patience=patience):
            return f"patience {patience}"
        case commands.SetEarlyStopping(enabled=enabled):
            return f"early stopping {'on' if enabled else 'off'}"
        case commands.StopAfterEpoch():
            return "stop after epoch"
        case commands.Rewind(checkpoint=checkpoint):
            return f"rewind to {printable(checkpoint)[:24]}"
    return commands.name_of(command).lower()

"""Settings that were changed live: what they do to a State, and how they are called."""

from __future__ import annotations

from msgspec.structs import replace

from core.events import Setting
from core.sections import LARGEST_COUNT
from core.view.state import State

NAMES = {
    "learning_rate": "learning rate",
    "epochs": "epochs",
    "early_stopping.patience": "patience",
    "early_stopping.enabled": "early stopping",
}


def applied(state: State, setting: Setting) -> State:
    match setting.key:
        case "epochs":
            return replace(state, epochs=_bounded(setting.value))
        case "early_stopping.patience":
            return replace(state, stopping=replace(state.stopping, patience=_bounded(setting.value)))
        case "early_stopping.enabled":
            return replace(state, stopping=replace(state.stopping, enabled=bool(setting.value)))
    return state


def words(setting: Setting) -> str:
    """``learning rate 0.01 -> 0.005``, ``early stopping on -> off``."""
    before, now = (_value(setting.key, value) for value in (setting.previous, setting.value))
    return f"{NAMES.get(setting.key, setting.key)} {before} -> {now}"


def _value(key: str, value: float) -> str:
    if key == "early_stopping.enabled":
        return "on" if value else "off"
    return f"{value:.4g}" if key == "learning_rate" else f"{value:g}"


def _bounded(value: float) -> int:
    """A number of epochs from a journal, which may hold anything."""
    return int(min(max(value, 0.0), LARGEST_COUNT))

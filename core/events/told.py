"""What became of commands."""

from __future__ import annotations

import msgspec

from core.events.base import Event, Whole


class Setting(msgspec.Struct, frozen=True, gc=False):
    """One setting's value, and the one before."""

    key: str = ""
    value: float = 0.0
    previous: float = 0.0


class SettingChanged(Event, frozen=True, kw_only=True):
    """A live change: an amendment of the recipe that holds from ``step`` on and survives a resume."""

    step: Whole = 0
    epoch: Whole = 0
    key: str = ""
    """``learning_rate``, ``epochs``, ``early_stopping.enabled`` or ``early_stopping.patience``."""
    value: float = 0.0
    previous: float = 0.0
    note: str = ""
    validated: Whole = 0
    """Epochs measured so far: whether it came before or after the measurement that follows an epoch's last step."""
    again: bool = False
    """Not a new change: after a resume one that had come later than its checkpoint takes effect again, after a rewind what it
    took back is said."""
    attempt: Whole = 0
    """Set when the run chose the rate itself, after so many roll-backs into this epoch."""
    command: str = ""
    """Id of the command that asked for it; after a kill its answer is given by this."""
    also: tuple[Setting, ...] = ()
    """Further settings that the same command changed: in one event, so that nothing can come between them."""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """All that it changed, in the order of changing."""
        return (Setting(self.key, self.value, self.previous), *self.also)


class RemarkAdded(Event, frozen=True, kw_only=True):
    step: Whole = 0
    epoch: Whole = 0
    text: str = ""
    command: str = ""


class CommandAccepted(Event, frozen=True, kw_only=True):
    id: str = ""
    command: str = ""
    step: Whole = 0
    note: str = ""


class CommandRejected(Event, frozen=True, kw_only=True):
    id: str = ""
    command: str = ""
    step: Whole = 0
    reason: str = ""

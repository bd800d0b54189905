"""What a killed session had done and not yet answered: known from the journal, and from the checkpoints that were asked for."""

from __future__ import annotations

from typing import Any

import msgspec

from core import checkpoint
from core.checkpoint import Damaged
from core.commands import Command, SetEarlyStopping, name_of
from core.events import CommandAccepted, CommandRejected, Event, RemarkAdded, SettingChanged
from core.run import journal
from core.run.folder import RunFolder


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """By the commands' ids."""

    answered: frozenset[str]
    settings: dict[str, list[SettingChanged]]
    remarks: dict[str, RemarkAdded]
    saves: dict[str, tuple[str, int]]
    """Checkpoint's name, step."""

    def answer(self, command: Command) -> Event | None:
        """The answer that a command is still owed; None when nothing of it was done."""
        about: dict[str, Any] = {"id": command.id, "command": name_of(command)}
        if saved := self.saves.get(command.id):
            return CommandAccepted(**about, step=saved[1], note=f"saved {saved[0]}")
        if remark := self.remarks.get(command.id):
            return CommandAccepted(**about, step=remark.step, note="noted")
        changes = self.settings.get(command.id)
        if not changes:
            return None
        if len(changes) < _changes_of(command):
            reason = f"cut off after {changes[0].key} was set; send it again"
            return CommandRejected(**about, step=changes[0].step, reason=reason)
        return CommandAccepted(**about, step=changes[0].step, note=changes[0].note or "set")


def known(run: RunFolder) -> Effects:
    """What the journal and the checkpoints of a run tell."""
    settings = dict[str, list[SettingChanged]]()
    for change in journal.find(run.journal, SettingChanged):
        if change.command and not change.again:
            settings.setdefault(change.command, []).append(change)
    return Effects(
        answered=frozenset(answer.id for answer in journal.find(run.journal, CommandAccepted, CommandRejected)),
        settings=settings,
        remarks={remark.command: remark for remark in journal.find(run.journal, RemarkAdded) if remark.command},
        saves=_saves(run),
    )


def _saves(run: RunFolder) -> dict[str, tuple[str, int]]:
    found = {}
    for folder in checkpoint.listing(run.checkpoints):
        try:
            manifest = checkpoint.read_manifest(folder)
        except Damaged:
            continue
        if manifest.command:
            found[manifest.command] = folder.name, manifest.step
    return found


def _changes_of(command: Command) -> int:
    """How many settings a command changes."""
    match command:
        case SetEarlyStopping(enabled=enabled, patience=patience):
            return (enabled is not None) + (patience is not None)
        case _:
            return 1

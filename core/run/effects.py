"""What a killed session had done and not yet answered: known from the journal, and from the checkpoints that were asked for."""

from __future__ import annotations

from typing import Any

import msgspec

from core import checkpoint
from core.checkpoint import Damaged
from core.commands import Command, name_of
from core.events import CommandAccepted, CommandRejected, Event, RemarkAdded, RunRewound, SettingChanged
from core.run import journal, line
from core.run.folder import RunFolder


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """By the commands' ids."""

    answered: frozenset[str]
    settings: dict[str, SettingChanged]
    remarks: dict[str, RemarkAdded]
    saves: dict[str, tuple[str, int]]
    """Checkpoint's name, step."""
    rewinds: dict[str, RunRewound]

    def answer(self, command: Command) -> Event | None:
        """The answer that a command is still owed; None when nothing of it was done."""
        about: dict[str, Any] = {"id": command.id, "command": name_of(command)}
        if saved := self.saves.get(command.id):
            return CommandAccepted(**about, step=saved[1], note=f"saved {saved[0]}")
        if remark := self.remarks.get(command.id):
            return CommandAccepted(**about, step=remark.step, note="noted")
        if back := self.rewinds.get(command.id):
            return CommandAccepted(**about, step=back.step, note=line.told(back))
        change = self.settings.get(command.id)
        return CommandAccepted(**about, step=change.step, note=change.note or "set") if change else None


def known(run: RunFolder) -> Effects:
    """What the journal and the checkpoints of a run tell."""
    answered, effects = set[str](), Effects(answered=frozenset(), settings={}, remarks={}, saves=_saves(run), rewinds={})
    for event in journal.find(run.journal, CommandAccepted, CommandRejected, SettingChanged, RemarkAdded, RunRewound):
        match event:
            case CommandAccepted() | CommandRejected():
                answered.add(event.id)
            case SettingChanged() if event.command and not event.again:
                effects.settings[event.command] = event
            case RemarkAdded() if event.command:
                effects.remarks[event.command] = event
            case RunRewound() if event.command:
                effects.rewinds[event.command] = event
    return msgspec.structs.replace(effects, answered=frozenset(answered))


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

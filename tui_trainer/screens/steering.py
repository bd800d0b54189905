"""What a person can tell the run that is shown: keys, the menu of changes, and the questions they ask. Every command is shown
as pending until the run has answered it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from textual import events, work
from textual.worker import get_current_worker

from core.commands import (
    Command,
    Continue,
    Discard,
    Pause,
    Remark,
    Rewind,
    Save,
    SetEarlyStopping,
    SetEpochs,
    SetLearningRate,
    Stop,
    StopAfterEpoch,
    Validate,
)
from core.errors import UserError
from core.run import inbox
from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer import actions, reasons
from tui_trainer.actions import Action
from tui_trainer.feed import Source
from tui_trainer.screens import values
from tui_trainer.screens.panels import PanelScreen
from tui_trainer.screens.question import DISCARD, REWIND, STOP, Entry
from tui_trainer.worker_log import last_lines

if TYPE_CHECKING:
    from core.view.plan import Plan

POLL = 0.1
"""Seconds between two looks at a trainer that has been started and has said nothing yet."""


class SteeringScreen(PanelScreen):
    """``run`` is the one that is steered."""

    def __init__(self, run: RunFolder, source: Source) -> None:
        super().__init__(run, source)
        self._pending: dict[str, str] = {}
        """Ids of commands without an answer yet, with what they are called."""

    def on_key(self, event: events.Key) -> None:
        """A key that cannot do anything now says why, rather than nothing."""
        meant = [action for action in actions.for_scope(self.SCOPE) if event.key in self.keymap.keys(action)]
        if meant and event.key not in self.active_bindings and (why := self.why_not(meant[0])):
            event.stop()
            self._say(why, "warning")

    @property
    def pending(self) -> tuple[str, ...]:
        return tuple(self._pending.values())

    def hear(self, state: State) -> None:
        """Take the answers to what was sent out of a new state."""
        for answer in state.answers if self._pending else ():
            name = self._pending.pop(answer.id, None)
            if name and not answer.accepted:
                self._say(f"{name} was refused: {answer.text}", "error")
            elif name and answer.text:
                self._say(f"{name}: {answer.text}")
        if state.ended:
            self._pending.clear()  # what was sent too late is not answered any more

    def _send(self, command: Command) -> None:
        try:
            self._pending[inbox.send(self.run, command)] = values.spoken(command)
        except UserError as error:
            self._say(str(error), "error")

    # At once

    def action_pause(self) -> None:
        self._send(Pause())

    def action_continue(self) -> None:
        self._send(Continue())

    def action_save(self) -> None:
        """Under a name, since only named checkpoints are kept for good."""
        named = sum(1 for saved in self.state.checkpoints if saved.name) + Counter(self._pending.values())["save"]
        self._send(Save(name=f"saved-{named + 1}"))

    def action_validate(self) -> None:
        self._send(Validate())

    def action_halve_rate(self) -> None:
        self._scale_rate(0.5)

    def action_double_rate(self) -> None:
        self._scale_rate(2.0)

    def action_switch_early_stopping(self) -> None:
        self._send(SetEarlyStopping(enabled=not self.state.stopping.enabled))

    def action_stop_after_epoch(self) -> None:
        self._send(StopAfterEpoch())

    def action_stop_now(self) -> None:
        self._send(Stop())

    # After a question

    @work
    async def action_change(self) -> None:
        chosen = await self._pick("Change", [self._entry(action) for action in actions.menu()])
        action = actions.by_id(chosen or "")
        if action and (why := self.why_not(action)):
            self._say(why, "warning")
        elif action:
            await self.run_action(action.id)

    @work
    async def action_stop(self) -> None:
        choice = await self._choose("End this training?", STOP)
        if choice == "stop":
            self._send(Stop())
        elif choice == "after_epoch":
            self._send(StopAfterEpoch())
        elif choice == "discard":
            self.action_discard()

    @work
    async def action_discard(self) -> None:
        question = "Discard this run? What came after its last checkpoint is lost. Its folder stays: rm -r removes it."
        if await self._confirmed(question, DISCARD):
            self._send(Discard())

    @work
    async def action_save_named(self) -> None:
        if (name := await self._ask(values.name(self.state))) is not None:
            self._send(Save(name=name))

    @work
    async def action_remark(self) -> None:
        if (text := await self._ask(values.remark(self.state))) is not None:
            self._send(Remark(text=text))

    @work
    async def action_set_patience(self) -> None:
        if (text := await self._ask(values.patience(self.state))) is not None:
            self._send(SetEarlyStopping(patience=int(text)))

    @work
    async def action_set_rate(self) -> None:
        if (planned := self._plan()) and (text := await self._ask(values.learning_rate(self.state, planned))) is not None:
            self._send(SetLearningRate(value=values.rate_of(text, planned)))

    @work
    async def action_set_epochs(self) -> None:
        if (planned := self._plan()) and (text := await self._ask(values.epochs(self.state, planned))) is not None:
            self._send(SetEpochs(value=values.epochs_of(text, planned)))

    @work
    async def action_rewind(self) -> None:
        entries = values.checkpoints(self.state, self._now())
        if chosen := await self._pick("Go back to which checkpoint?", entries):
            await self._rewind_to(chosen)

    @work
    async def rewind_to(self, checkpoint: str) -> None:
        """After a question. A run that has ended is resumed there."""
        if self.state.ended and self.state.address:
            self._say(reasons.elsewhere(self.state, "go_back").replace("CHECKPOINT", checkpoint), "warning")
        elif not self.state.ended and (why := self.why_not(actions.REWIND)):
            self._say(why, "warning")
        else:
            await self._rewind_to(checkpoint)

    async def _rewind_to(self, checkpoint: str) -> None:
        saved = next((item for item in self.state.checkpoints if item.checkpoint == checkpoint), None)
        if not saved or not await self._confirmed(values.taken_back(self.state, saved), REWIND):
            return
        if self.state.ended:
            self.resume(saved.checkpoint)
        else:
            self._send(Rewind(checkpoint=saved.checkpoint))

    def resume(self, checkpoint: str | None = None) -> None:
        """Start a worker that goes on with the run, from the newest checkpoint unless another is given."""
        self._say(f"going on from {checkpoint or 'the last checkpoint'} ...")
        self._start(checkpoint)

    @work(thread=True, exclusive=True)
    def _start(self, checkpoint: str | None) -> None:
        from tui_trainer.forwarding import followers

        told, begun = self._told(), time.time()
        try:
            process = followers.start(self.run, self.trainer.settings.log, checkpoint=checkpoint)
        except (UserError, OSError) as error:
            self.app.call_from_thread(self._say, str(error), "error")
            return
        while process.poll() is None and self._told() == told and not get_current_worker().is_cancelled:
            time.sleep(POLL)
        if process.returncode and self._told() == told:  # it has given up without a word in the journal
            words = last_lines(self.run, 1, begun - 1) or (f"the trainer ended at once; see {self.run.log}",)
            self.app.call_from_thread(self._say, words[0], "error")

    def _told(self) -> int:
        """How long the journal is (bytes)."""
        try:
            return self.run.journal.stat().st_size
        except OSError:
            return 0

    # Parts of these

    def _scale_rate(self, factor: float) -> None:
        if planned := self._plan():
            self._send(SetLearningRate(value=planned.rate * factor))

    def _plan(self) -> Plan | None:
        from core.view import plan

        try:
            return plan.read(self.run, self.state)
        except UserError as error:
            self._say(str(error), "error")
            return None

    def _entry(self, action: Action) -> Entry:
        return Entry(action.id, action.label, detail(action, self.state), action.menu, self.why_not(action))


def detail(action: Action, state: State) -> str:
    """What stands beside an entry of the menu: the setting as it is now, else what the action does."""
    rate, stopping = state.metrics.get("train.learning_rate"), state.stopping
    match action.id:
        case "halve_rate" | "double_rate" if rate is not None:
            return f"{rate:.3g} -> {rate * (0.5 if action.id == 'halve_rate' else 2):.3g}"
        case "set_rate" if rate is not None:
            return f"{rate:.3g} now"
        case "set_epochs":
            return f"{state.epochs or 'no number'} now, epoch {state.epoch} is under way"
        case "set_patience" if stopping.patience:
            return f"{stopping.patience} now, {stopping.epochs_since} used up"
        case "switch_early_stopping":
            return "on now" if stopping.enabled else "off now"
    return action.help

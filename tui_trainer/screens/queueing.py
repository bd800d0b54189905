"""What a person does on Home with what waits in the queue."""

from __future__ import annotations

from collections.abc import Callable

from textual import work

from core.errors import UserError
from tui_trainer.escape import printable
from tui_trainer.screens.question import UNQUEUE
from tui_trainer.screens.starting import StartingScreen
from tui_trainer.waiting import Queued, Waiting


class QueueingScreen(StartingScreen):
    """``waiting`` is the queue of its folder."""

    waiting: Waiting

    @property
    def queued(self) -> Queued | None:
        """The selected one, where that waits."""
        return self.selected.queued if self.selected else None

    @work
    async def action_cancel_queued(self) -> None:
        queued = self.queued
        if queued and await self._confirmed(f"Take {queued.entry.name} out of the queue?", UNQUEUE):
            self._change(queued, lambda: self._cancel(queued))

    def action_queue_up(self) -> None:
        self._move(-1)

    def action_queue_down(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        queued = self.queued
        if queued and 1 <= queued.position + by <= queued.of:
            self._change(queued, lambda: self._put(queued, queued.position + by))

    def _cancel(self, queued: Queued) -> None:
        from core.queue import changing

        changing.cancel_waiting(self.waiting.queue, queued.entry.id)

    def _put(self, queued: Queued, place: int) -> None:
        from core.queue import changing

        changing.move_waiting(self.waiting.queue, queued.entry.id, place)

    @work(thread=True, group="queue")
    def _change(self, queued: Queued, do: Callable[[], None]) -> None:
        """Beside the screen: another process may be writing the queue."""
        try:
            do()
        except UserError as error:
            self.app.call_from_thread(self.notify, printable(str(error)), severity="warning", markup=False)
        self.app.call_from_thread(self.scan)

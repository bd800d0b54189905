"""What the boxes over a screen have in common."""

from __future__ import annotations

from textual import events
from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType

from tui_trainer.widgets.too_small import TooSmall


class Dialog(ModalScreen[ScreenResultType]):
    """Yields a TooSmall, last, and gives its answer once."""

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(TooSmall).fit(event.size)

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Nothing for a second key that came before the first one had closed it: textual would close what lies below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

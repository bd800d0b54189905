"""The progress of a training below a notebook's cell: text that is replaced as the run goes on."""

from __future__ import annotations

import io
import sys
import time
from collections import deque
from typing import Any

from rich.console import Console, Group
from rich.text import Text

from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.live import dashboard
from tui_trainer.narrator import Narrator
from tui_trainer.plain import Told
from tui_trainer.result import result_lines

SIZE = (100, 40)
"""Cells."""
LINES = 12
"""Of what was told so far, those that stay above the present moment."""
PACE = 0.5
"""Seconds between two pictures; each of them stays in the notebook's connection, if not in its file."""
FORMAT = '<pre style="line-height:1.25;overflow-x:auto">{code}</pre>'


def here() -> bool:
    """Whether this program is the kernel of a notebook; asks only what has been loaded already."""
    shell = sys.modules.get("IPython.core.getipython") or sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return running is not None and hasattr(running, "kernel")


class Cell:
    """A picture of a moment, as text and in colour."""

    def __init__(self, content: Group) -> None:
        self._console = Console(file=io.StringIO(), record=True, width=SIZE[0], force_jupyter=False, force_terminal=False)
        self._console.print(content)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        """What IPython asks for."""
        coloured = self._console.export_html(inline_styles=True, code_format=FORMAT, clear=False)
        return {"text/plain": self._console.export_text().rstrip(), "text/html": coloured}


class NotebookProgress:
    """See :class:`tui_trainer.plain.Output`."""

    def __init__(self, run: RunFolder, state: State) -> None:
        from IPython.display import display

        self.run = run
        self._narrator = Narrator(state, brief=True)
        self._told: deque[str] = deque(maxlen=LINES)
        self._drawn = time.monotonic()
        self._handle = display(self._cell(), display_id=True)

    @property
    def state(self) -> State:
        return self._narrator.state

    def feed(self, told: Told) -> None:
        self._told += self._narrator.tell([event for _, event in told])

    def tick(self) -> None:
        if time.monotonic() - self._drawn >= PACE:
            self._handle.update(self._cell())
            self._drawn = time.monotonic()

    def end(self, state: State) -> None:
        self._handle.update(Cell(Group(*map(Text, [*self._told, *result_lines(self.run, state)]))))

    def close(self) -> None:
        pass

    def _cell(self) -> Cell:
        return Cell(Group(*map(Text, self._told), dashboard(self.state, time.time(), *SIZE)))

"""What is on the screen, written into files: the page as a picture, the values of the plot that has the focus as a table."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UserError
from core.files import create
from core.run.folder import RunFolder
from core.view.series import Series
from tui_trainer.bindings import ActionScreen
from tui_trainer.escape import file_name, printable

if TYPE_CHECKING:
    from tui_trainer.widgets.panel import Page


class ExportingScreen(ActionScreen):
    """A screen that is about a page of ``run``."""

    run: RunFolder
    _page: Page

    def action_export_view(self) -> None:
        """Into the present folder, under names that are free there."""
        from tui_trainer.svg import alone

        svg = alone(self.app.export_screenshot(title=printable(self.run.name)))
        self.run_worker(partial(self._export, svg, self._scalars()), thread=True, group="export")

    def _scalars(self) -> tuple[str, tuple[str, ...]]:
        """What the plot that has the focus is called, and the scalars in it that there are."""
        metric = getattr(self.focused, "metric", None)
        if metric is None:
            return "", ()
        names = tuple(name for name in metric.names(self.state) if self.state.series.get(name, Series()).last is not None)
        return metric.name, names

    def _export(self, svg: str, scalars: tuple[str, tuple[str, ...]]) -> None:
        """Beside the screen, since the whole journal may have to be read."""
        try:
            words, severity = f"written: {', '.join(self._written(svg, *scalars))}, in {Path.cwd()}", "information"
        except OSError as error:
            words, severity = f"nothing can be written into the present folder: {error.strerror}", "error"
        except UserError as error:
            words, severity = str(error), "error"
        self.app.call_from_thread(self.notify, printable(words), severity=severity, markup=False)

    def _written(self, svg: str, plot: str, scalars: tuple[str, ...]) -> Iterator[str]:
        yield create_free(f"{self.run.name}-{self._page}", ".svg", svg.encode())
        if scalars:
            from tui_trainer.scalars import write

            table = io.StringIO()
            write(self.run, table, scalars)
            yield create_free(f"{self.run.name}-{plot}", ".csv", table.getvalue().encode())


def create_free(stem: str, suffix: str, data: bytes) -> str:
    """A new file in the present folder; its name, numbered where that is taken. Raises OSError."""
    stem, number = file_name(stem), 1
    while True:
        name = f"{stem}{'' if number == 1 else f'-{number}'}{suffix}"
        try:
            with create(Path(name)) as file:
                file.write(data)
            return name
        except FileExistsError:
            number += 1

"""What the console would show of a run, as a file: ``picture``."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, cast

import typer

from core.errors import UserError
from core.run.folder import find, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.output import STANDARD, check_free, deliver
from tui_trainer.escape import file_name

KINDS = (".svg", ".png", ".txt")
SMALLEST, LARGEST = (60, 16), (400, 150)
"""Columns and rows; with fewer the console says that there is no room."""
SHARPNESS = 2.0
"""Pixels of a PNG for each of the picture's own units."""


def picture(
    run: options.Run,
    output: options.Output = None,
    page: Annotated[str, typer.Option("--page", metavar="NAME", help="Of the console's pages.")] = "overview",
    panel: Annotated[str, typer.Option("--panel", metavar="TITLE", help="This panel of the page alone.")] = "",
    size: Annotated[str, typer.Option("--size", metavar="WxH", help="Columns and rows of the terminal.")] = "120x40",
    theme: Annotated[str, typer.Option("--theme", metavar="NAME", help="Of the console's themes.")] = "trainer-dark",
    force: options.Force = False,
    runs: options.Runs = None,
) -> None:
    """Write a page or panel of the console as .svg, .png or .txt (by the file's name)."""
    folder = find(run, runs_folder(runs))
    target = output or Path(f"{file_name(folder.name)}-{page}.svg")
    kind = ".svg" if target == STANDARD else target.suffix.lower()
    if kind not in KINDS:
        raise UserError(f"{target}: expected a name that ends in {', '.join(KINDS)}, or - for SVG on the standard output")
    columns_and_rows = _size(size)
    from tui_trainer import picture as drawing
    from tui_trainer.svg import png
    from tui_trainer.theme import NAMES
    from tui_trainer.widgets.panel import PAGES, Page

    check_free(target, force)
    chosen = cast(Page, _among("--page", page, PAGES))
    wanted = drawing.Wanted(chosen, panel, columns_and_rows, _among("--theme", theme, NAMES))
    if kind == ".png":
        png("<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>")  # before the work: is what draws it there?
    drawn = drawing.draw(folder, wanted)
    data = {".svg": drawn.svg.encode, ".txt": drawn.text.encode, ".png": lambda: png(drawn.svg, SHARPNESS)}[kind]()
    deliver(target, data, force)


def _size(text: str) -> tuple[int, int]:
    if (found := re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)) is None:
        raise UserError(f"--size {text!r}: expected columns and rows, for instance 120x40")
    columns, rows = int(found[1]), int(found[2])
    if not (SMALLEST[0] <= columns <= LARGEST[0] and SMALLEST[1] <= rows <= LARGEST[1]):
        raise UserError(f"--size {text}: expected {SMALLEST[0]}x{SMALLEST[1]} to {LARGEST[0]}x{LARGEST[1]}")
    return columns, rows


def _among(option: str, name: str, known: tuple[str, ...]) -> str:
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    raise UserError(f"{option} {name!r}: not known; {hint}")

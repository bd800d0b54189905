"""Lines that are broken within a path after one of its folders, rather than within a name."""

from __future__ import annotations

import re
import textwrap
from typing import NamedTuple

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text


class PathWrapper(textwrap.TextWrapper):
    wordsep_simple_re = re.compile(r"([\t\n\x0b\x0c\r ]+|(?<=/))")


class Wrapped(NamedTuple):
    """A text of any length for a cell of a table."""

    text: str
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = PathWrapper(options.max_width, break_on_hyphens=False).wrap(self.text)
        yield Text("\n".join(lines), style=self.style)

"""Lines that are broken by the columns that characters take, of which textwrap counts one for each."""

from __future__ import annotations

import re
import textwrap
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text


class _Cells(str):
    """As long as it is wide."""

    __slots__ = ()

    def __len__(self) -> int:
        return cell_len(str(self))


class Wrapper(textwrap.TextWrapper):
    def _split(self, text: str) -> list[str]:
        return [_Cells(chunk) for chunk in super()._split(text)]

    def _handle_long_word(self, reversed_chunks: list[str], cur_line: list[str], cur_len: int, width: int) -> None:
        """As much of a word that is longer than a line as there is room for."""
        word, end = str(reversed_chunks.pop()), 0
        while end < len(word) and cell_len(word[: end + 1]) <= width - cur_len:
            end += 1
        hyphen = word.rfind("-", 0, end)
        if self.break_on_hyphens and end < len(word) and word[: max(0, hyphen)].strip("-"):
            end = hyphen + 1
        if not cur_line:  # at least something of it, however narrow a line is
            end = max(end, 1)
        if end:
            cur_line.append(_Cells(word[:end]))
        if end < len(word):
            reversed_chunks.append(_Cells(word[end:]))


class PathWrapper(Wrapper):
    """Within a path after one of its folders, rather than within a name."""

    wordsep_simple_re = re.compile(r"([\t\n\x0b\x0c\r ]+|(?<=/))")


def wrap(text: str, width: int, **options: Any) -> list[str]:
    """As ``textwrap.wrap``."""
    return Wrapper(max(1, width), **options).wrap(text)


class Wrapped(NamedTuple):
    """A text of any length for a cell of a table."""

    text: str
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = PathWrapper(options.max_width, break_on_hyphens=False).wrap(self.text)
        yield Text("\n".join(lines), style=self.style)

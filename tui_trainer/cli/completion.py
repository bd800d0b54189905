"""Completion in a shell: the script that it loads, and what that asks for at each tab."""

from __future__ import annotations

import sys
from importlib import resources
from typing import Annotated

import typer

from core.errors import UserError
from tui_trainer.escape import printable
from tui_trainer.stream import write_bytes

SCRIPTS = resources.files("tui_trainer") / "completion"
"""One file = one shell."""
Shell = Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)]
Line = Annotated[
    str | None, typer.Option("--line", metavar="TEXT", hidden=True, help="Up to the cursor; prints what its last word can be.")
]


def completion(shell: Shell = "", line: Line = None) -> None:
    """Print the script that makes a shell complete commands, runs, recipes, checkpoints, data and keys. For bash and zsh:
    source <(tui-trainer completion bash), for fish: tui-trainer completion fish | source; in the file that it reads at its
    start, for good."""
    if line is not None:
        from tui_trainer.cli.completing import candidates

        lines = (f"{found.value}\t{printable(found.help)}" if found.help else found.value for found in candidates(line))
        write_bytes(sys.stdout.buffer, "".join(f"{each}\n" for each in lines).encode())
        return
    known = sorted(entry.name for entry in SCRIPTS.iterdir() if "." not in entry.name and not entry.name.startswith("_"))
    if shell not in known:
        raise UserError(f"completion {shell!r}: expected one of {', '.join(known)}")
    write_bytes(sys.stdout.buffer, (SCRIPTS / shell).read_bytes())

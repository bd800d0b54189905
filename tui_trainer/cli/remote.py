"""Runs on another machine: the console on one of them, and commands that are done there."""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

from core.errors import UserError
from core.remote.address import CAREFUL, Address, is_remote, of_run, parse
from tui_trainer.cli import opening
from tui_trainer.cli.say import complain
from tui_trainer.stream import write_text

THERE = (
    "resume", "pause", "continue", "save", "stop", "tell", "evaluate", "show", "scalars", "compare", "verify", "repair",
    "tag", "rename", "delete",
)  # fmt: skip
"""Commands that need nothing of this machine but the screen."""
KEPT = 4096
"""Bytes of what is said there on the standard error."""
PIECE = 64 << 10
"""Bytes of what is said there on the standard output, at a time: nobody says how long a line is."""
PATIENCE = 2.0
"""Seconds for the rest of the standard error, which a ControlMaster that stays behind keeps open."""


def attach(run: str, far: str) -> NoReturn:
    """The console on its mirror. SSH asks what it has to before there is a screen. Raises UserError."""
    address = of_run(run)
    personal = opening.prepare()
    from core.remote.mirrored import mirrored
    from tui_trainer.remote import RemoteApp

    complain(f"reaching {address.host} ...")

    def left(undelivered: int) -> None:
        if undelivered:
            complain(f"{address.host} was not reached any more: what was told last has not arrived there")

    with mirrored(address, far, left) as found:
        opening.show(RemoteApp(found, **personal))


def list_runs_of(host: str, runs: Path | None, chosen: Mapping[str, str], json: bool, far: str) -> NoReturn:
    """What ``runs`` says there. Raises UserError."""
    address = parse(f"ssh://{host.removeprefix('ssh://')}")
    if runs and address.path:
        raise UserError(f"--runs {runs}: --host {host} names a folder already")
    folder = address.path or (str(runs) if runs else "")
    words = [f"{name}={value}" for name, value in {"--runs": folder, **chosen}.items() if value]
    sys.exit(_done_there(address, ["runs", *words, *["--json"] * json], far))


def pass_on(words: Sequence[str]) -> int:
    """Do there what these words say of runs there, and return its exit status. Raises UserError."""
    named = [of_run(word) for word in words if is_remote(word)]
    if words[0].startswith("-"):
        raise UserError(f"{words[0]}: with a run of another machine the command comes first, then its options")
    if words[0] not in THERE:
        raise UserError(f"{words[0]} takes no run of another machine; these do: attach, {', '.join(THERE)}")
    if len({(address.host, address.port) for address in named}) > 1:
        raise UserError(f"{words[0]}: these runs are on several machines, and one was expected")
    there = [_path(word) if is_remote(word) else word for word in words]
    return _done_there(named[0], there, "")


def _path(word: str) -> str:
    """One that is not taken for an option."""
    path = of_run(word).path
    return f"./{path}" if path.startswith("-") else path


def _done_there(address: Address, words: Sequence[str], far: str) -> int:
    from core.remote.connection import NOT_EXECUTABLE, NOT_FOUND, UNREACHABLE, reason

    command = address.command(words, far, CAREFUL)
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise UserError(f"{command[0]}: cannot be started: {error.strerror}; install OpenSSH's client") from None
    with process:
        assert process.stdout is not None and process.stderr is not None
        heard = bytearray()
        listener = threading.Thread(target=_hear, args=(process.stderr, heard), daemon=True)
        listener.start()
        _pass_back(process.stdout)
        status = process.wait()
        listener.join(PATIENCE)
    said = heard.decode("utf-8", "replace")
    if status in (UNREACHABLE, NOT_FOUND, NOT_EXECUTABLE):
        raise UserError(reason(address.host, status, said))
    for line in said.splitlines():
        complain(line.removeprefix("tui-trainer: "))
    return status if status >= 0 else 128 - status


def _pass_back(stream: IO[bytes]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while data := os.read(stream.fileno(), PIECE):
        write_text(sys.stdout, decoder.decode(data))
    write_text(sys.stdout, decoder.decode(b"", final=True))


def _hear(stream: IO[bytes], heard: bytearray) -> None:
    while data := os.read(stream.fileno(), KEPT):
        heard += data
        del heard[:-KEPT]

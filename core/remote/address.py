"""Where a run on another machine is, and the command that reaches it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from core.errors import UserError

SCHEME = "ssh://"
FORM = re.compile(
    r"ssh://(?P<host>(?:[A-Za-z0-9_][\w.+-]*@)?(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\]))(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/.*)?",
    re.ASCII | re.DOTALL,
)
"""Neither user nor host begins with a '-', which ssh would take for an option."""
SSH = "TUI_TRAINER_SSH"
"""The program to call in the place of ``ssh``, with options if need be."""
FAR = "TUI_TRAINER_REMOTE_COMMAND"
"""How tui-trainer is called there, as ``--remote-command``."""
_CAREFUL = (
    "ConnectTimeout=15", "ServerAliveInterval=5", "ServerAliveCountMax=3",
    "RemoteCommand=none", "PermitLocalCommand=no", "ForwardAgent=no", "ClearAllForwardings=yes",
)  # fmt: skip
CAREFUL = ("-T", "-x", *(word for option in _CAREFUL for word in ("-o", option)))
"""A dead link, after a laptop's sleep say, is noticed; and nothing that a person's configuration does for a shell of theirs, a
port that can be forwarded only once say, is in the way."""
HOME = "."
"""The home folder there, in which ssh begins."""


@dataclass(frozen=True)
class Address:
    """``host`` with the user, where one was given; ``path`` as the far side is given it, empty for none."""

    host: str
    port: int | None
    path: str

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        path = quote(self.path, safe="/~+@:,=")
        if path and not path.startswith("/"):
            path = f"/~/{path}"
        elif path == "/~" or path.startswith("/~/"):  # a folder of that name
            path = f"/%7E{path[2:]}"
        return f"{SCHEME}{self.host}{port}{path}"

    def command(self, words: Sequence[str], far: str = "", options: Sequence[str] = ()) -> list[str]:
        """For this machine; ``far`` is how tui-trainer is called there, as a shell there reads it. Raises UserError."""
        there = f"{far or os.environ.get(FAR) or 'tui-trainer'} {shlex.join(words)}"
        port = ["-p", str(self.port)] if self.port else []
        return [*_program(), *options, *port, "--", self.host.replace("[", "").replace("]", ""), there]

    def copy_of(self, file: str) -> str:
        """The command that copies a file of the run into the present folder."""
        port = f"-P {self.port} " if self.port else ""
        return f"scp {port}{shlex.quote(f'{self.host}:{self.path}/{file}')} ."


def _program() -> list[str]:
    text = os.environ.get(SSH) or "ssh"
    try:
        return shlex.split(text) or ["ssh"]
    except ValueError as error:
        raise UserError(f"{SSH}={text!r}: {error}; expected a program, with options if need be") from None


def is_remote(run: str) -> bool:
    return run.startswith(SCHEME)


def parse(text: str) -> Address:
    """Raises UserError."""
    found = FORM.fullmatch(text)
    port = int(found["port"]) if found and found["port"] else None
    if not found or (port is not None and not 0 < port < 65536):
        raise UserError(f"{text!r}: expected ssh://[user@]host[:port]/path/to/run, or /~/path from the home folder there")
    path = unquote(found["path"] or "")
    if "\0" in path:
        raise UserError(f"{text!r}: no path has a zero byte in it")
    at_home = (found["path"] or "").startswith("/~/") or found["path"] == "/~"
    return Address(found["host"], port, path[3:] or HOME if at_home else path)


def of_run(text: str) -> Address:
    """The same where a run has to be named."""
    address = parse(text)
    if address.path.strip("/") in ("", HOME):
        raise UserError(f"{text!r}: names no run; see which there are: tui-trainer runs --host {text.removeprefix(SCHEME)}")
    return address

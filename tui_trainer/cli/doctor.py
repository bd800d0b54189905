"""``doctor``: what a bug report needs."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UserError
from core.view.words import count
from tui_trainer.cli import options
from tui_trainer.cli.say import say, say_json, table


def doctor(runs: options.Runs = None, json: options.Json = False) -> None:
    """Show versions, devices, caches, data and terminal."""
    report = {"program": _program(), "machine": _machine(), "caches": _caches(runs), "data": _data(), "terminal": _terminal()}
    if json:
        say_json(report)
        return
    for section, facts in report.items():
        say(section, *(f"  {line}" for line in table([(name, _words(value)) for name, value in facts.items()])), "")


def _program() -> dict[str, Any]:
    from importlib.metadata import version

    return {"tui-trainer": version("tui-trainer"), "python": sys.version.split()[0], "executable": sys.executable}


def _machine() -> dict[str, Any]:
    """A broken torch is a finding here, not an error."""
    from core.run.describe import machine

    try:
        facts: dict[str, Any] = msgspec.to_builtins(machine())
    except UserError as error:
        return {"system": platform.platform(), "torch": str(error)}
    return facts


def _caches(given: Path | None) -> dict[str, Any]:
    from core.cache import cache_folder
    from core.run.folder import list_runs, runs_folder

    cache, runs = cache_folder(), runs_folder(given)
    free = shutil.disk_usage(cache if cache.exists() else ".").free
    return {
        "cache": str(cache),
        "free": f"{free / 2**30:.1f} GiB",
        "runs": f"{runs.absolute()} ({count(len(list_runs(runs)), 'run')})",
    }


def _data() -> dict[str, Any]:
    from core import data
    from core.sections import Data

    found = {name: data.availability(Data(source=name)) for name in data.names() if data.names_of(name) == ()}
    return {name: f"ready: {item.where}" if item.ready else item.hint for name, item in found.items()}


def _terminal() -> dict[str, Any]:
    from tui_trainer import pixels
    from tui_trainer.terminal import abilities, notifies

    size, can = shutil.get_terminal_size(), abilities(os.environ)._asdict()
    encoding = sys.stdout.encoding or "unknown"
    names = (
        "TERM",
        "COLORTERM",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "NO_COLOR",
        "LANG",
        "LC_ALL",
        "TMUX",
        "SSH_TTY",
        "KITTY_WINDOW_ID",
    )
    return {
        "size": f"{size.columns}x{size.lines}",
        "terminal": sys.stdout.isatty(),
        "encoding": encoding,
        "unicode": encoding.lower().replace("-", "") == "utf8",
        "pictures": pixels.words(os.environ),
        "is told": [f"{name} {kind}" if isinstance(kind, str) else name for name, kind in can.items() if kind],
        "notifies": notifies(os.environ),
        **{name: os.environ[name] for name in names if name in os.environ},
    }


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)

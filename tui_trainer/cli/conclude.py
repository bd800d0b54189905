"""The end of a command whose result is looked at by a machine: its exit status, and what it leaves for CI to show."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from core.errors import UserError
from core.files import open_plain, open_to_append
from tui_trainer.cli.say import complain

if TYPE_CHECKING:
    from tui_trainer.cli.require import Verdict
    from tui_trainer.reporting.outcome import Outcome

SUMMARY = "GITHUB_STEP_SUMMARY"
"""Names the file that a step's summary is added to."""
ROOT = re.compile(rb"(<\?xml[^>]*>)?\s*<testsuites?[\s/>]")
LOOKED_AT = 1024
"""Bytes of an earlier report, within which it says what it is."""
MISSED, WRONG = 1, 2
UNWRITTEN = "cannot be written"


def check_junit(path: Path | None) -> None:
    """Takes an earlier report away, so that none of before is there where this command comes to none; raises UserError, also
    for a file that is no such report."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(path):
            return
        with open_plain(path, follow=True) as file:
            begun = file.read(LOOKED_AT)
            if begun and not ROOT.match(begun):
                raise UserError(f"--junit {path}: something else is there; choose another file")
        path.unlink()
    except OSError as error:
        raise UserError(f"--junit {path}: {UNWRITTEN}: {error.strerror}; choose another file") from None


def conclude(status: int, verdicts: Sequence[Verdict], junit: Path | None, describe: Callable[[], Outcome]) -> NoReturn:
    """Ends the process: with 1 when all went well but a requirement does not hold. All else of the outcome is asked for only
    where it is written down."""
    for verdict in verdicts:
        if not verdict.holds:
            status = MISSED
            complain(verdict.why)
    if junit is not None and not _wrote_junit(describe(), junit):
        status = status or WRONG
    if name := os.environ.get(SUMMARY):
        _add_summary(describe(), Path(name))
    sys.exit(status)


def _wrote_junit(outcome: Outcome, path: Path) -> bool:
    """Whole or not at all. Whoever shows it is often another user: who may read it is up to the umask."""
    from tui_trainer.reporting.junit import junit

    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(junit(outcome))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        complain(f"--junit {path}: {UNWRITTEN}: {error.strerror}")
        return False
    return True


def _add_summary(outcome: Outcome, path: Path) -> None:
    """Something for people to look at, which never changes what the command comes to."""
    from tui_trainer.reporting.step_summary import step_summary

    try:
        with os.fdopen(open_to_append(path), "ab") as file:
            file.write(step_summary(outcome).encode("utf-8"))
    except (OSError, ValueError) as error:
        complain(f"{SUMMARY}: {path}: {UNWRITTEN}: {getattr(error, 'strerror', None) or error}")

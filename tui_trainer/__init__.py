"""A terminal training console: the Textual app and the headless commands over :mod:`core`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from tui_trainer.escape import printable


def _check_core() -> None:
    """``core`` is a common folder name: make sure that it is this project's own, which lies beside this package."""
    spec = find_spec("core")
    found = Path(spec.origin or "a folder 'core'") if spec else Path("nothing")
    if found.resolve() == (Path(__file__).parent.parent / "core" / "__init__.py").resolve():
        return
    line = f"tui-trainer: {found} hides tui-trainer's own package 'core'; start it from another folder, or by: tui-trainer"
    if sys.argv[0] == "-m":  # `python -m tui_trainer`: a user at a shell, who needs no traceback
        sys.stderr.write(f"{printable(line)}\n")
        raise SystemExit(2)
    raise ImportError(line)


_check_core()

"""A terminal training console: the Textual app and the headless commands over :mod:`core`.

From Python a training is :func:`tui_trainer.train`; a loop of one's own is a :class:`tui_trainer.Run`, and for those of other
libraries there are :mod:`tui_trainer.adapters`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_trainer.escape import printable

if TYPE_CHECKING:
    from core.errors import UserError
    from core.run.own import Run
    from tui_trainer.trained import Result, TrainingFailed
    from tui_trainer.training import evaluate, predict, result_of, resume, train

_HOMES = {
    "Run": "core.run.own",
    "UserError": "core.errors",
    "Result": "tui_trainer.trained",
    "TrainingFailed": "tui_trainer.trained",
    "train": "tui_trainer.training",
    "resume": "tui_trainer.training",
    "result_of": "tui_trainer.training",
    "evaluate": "tui_trainer.training",
    "predict": "tui_trainer.training",
}

__all__ = ["Result", "Run", "TrainingFailed", "UserError", "evaluate", "predict", "result_of", "resume", "train"]


def __getattr__(name: str) -> Any:
    """The names above, when they are first used: importing this imports neither torch nor a screen."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tui_trainer' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """What a person is offered by tab, also before it has been used."""
    return sorted({*globals(), *__all__})


def _check_core() -> None:
    """``core`` is a common folder name: make sure that it is this project's own, which lies beside this package."""
    spec = find_spec("core")
    found = Path(spec.origin or "a folder 'core'") if spec else Path("nothing")
    if found.resolve() == (Path(__file__).parent.parent / "core" / "__init__.py").resolve():
        return
    line = f"tui-trainer: {found} hides tui-trainer's own package 'core'"
    if sys.argv[0] == "-m":  # `python -m tui_trainer`: a user at a shell, who needs no traceback
        sys.stderr.write(f"{printable(line)}; start it from another folder, or by: tui-trainer\n")
        raise SystemExit(2)
    raise ImportError(f"{line}, and one program cannot have both: give it another name to use tui_trainer in this program")


_check_core()

"""The real command line, whose worker meets with something: ``failing.py FATE VERB ...``.

The worker is this file again, ``failing.py FATE --worker RUN ...``: the real one, but for what befalls it in the midst of a
step. How long it takes until a step or a silence is out of the ordinary is shortened.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from core.run import session, worker
from core.view import readings

if TYPE_CHECKING:
    from torch import Tensor

STEP = 12
"""During which it happens."""
GO_ON = "go-on"
"""A file in the run folder that ends a step which hangs."""


def shorten() -> None:
    readings.LONG_STEP, readings.LONG_FIRST_STEP, readings.STALE_SECONDS = 1.0, 20.0, 2.5


def crash(run: Path) -> None:
    """In native code."""
    ctypes.string_at(0)


def kill(run: Path) -> None:
    """As the system does when memory runs out."""
    os.write(sys.stdout.fileno(), b"the last words\n")
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def stall(run: Path) -> None:
    """Hang until somebody says to go on, and then stop altogether, as a process does whose machine sleeps."""
    while not (run / GO_ON).exists():
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGSTOP)


FATES: dict[str, Callable[[Path], None]] = {"crash": crash, "kill": kill, "stall": stall}


def befall(fate: Callable[[Path], None], run: Path) -> None:
    from core.training.steps import Steps

    updated = Steps._updated

    def meeting(self: Steps, samples: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        if self.progress.step == STEP:
            fate(run)
        return updated(self, samples, epoch)

    Steps._updated = meeting  # type: ignore[method-assign]


def main() -> NoReturn:
    fate, *arguments = sys.argv[1:]
    if arguments[0] == "--worker":
        faulthandler.enable(all_threads=False)
        befall(FATES[fate], Path(arguments[1]))
        sys.exit(worker.main(arguments[1:]))
    from tui_trainer import cli

    shorten()
    session.WORKER = (sys.executable, "-P", __file__, fate, "--worker")  # type: ignore[assignment]
    sys.argv = ["tui-trainer", *arguments]
    cli.run()


if __name__ == "__main__":
    main()

"""The console of one tab, which a server starts: ``python -P -m tui_trainer.web.console RUNS [RUN]``."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from core.run.folder import RunFolder
from tui_trainer.app import TrainerApp

LEAVING = "This console is in a browser: close its tab to leave. Training goes on."
LOOK = 1.0
"""Seconds between two looks at whether the server is still there."""


class ServedApp(TrainerApp):
    def exit(self, *result: Any, **options: Any) -> None:
        """It ends with its tab; ended by a key it would leave a dead page behind."""
        self.notify(LEAVING, markup=False)


def main() -> None:
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")  # which a browser's terminal is, whatever the server's was
    os.environ.pop("NO_COLOR", None)
    runs, *run = map(Path, sys.argv[1:])
    ServedApp(runs, RunFolder(run[0]) if run else None).run()


def _end_with(server: int) -> None:
    """Also where that is killed and can end nobody any more."""
    while os.getppid() == server:
        time.sleep(LOOK)
    os._exit(0)


if __name__ == "__main__":
    main()

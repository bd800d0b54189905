"""The process that trains one run: ``python -P -m core.run.worker RUN_DIR``. It outlives every screen.

Exit status: 0 finished, early-stopped or stopped on request; 2 wrong use; 3 training failed; 128 + n stopped by signal n.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.errors import UserError
from core.run.folder import RunFolder
from core.run.journal import finished
from core.run.listener import tie_to_parent
from core.run.resume import check_journal
from core.run.signals import Signals
from core.run.work import Options, Session, log

if TYPE_CHECKING:
    pass


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -P -m core.run.worker")
    parser.add_argument("run", type=Path)
    for name, kind in (("--epochs", int), ("--checkpoint", str), ("--device", str), ("--threads", int), ("--notify", str)):
        parser.add_argument(name, type=kind)
    parser.add_argument("--allow-change", action="append", default=[])
    parser.add_argument("--tied", action="store_true")
    given = vars(parser.parse_args(arguments))
    run, options = RunFolder(given.pop("run")), msgspec.convert(given, Options)
    signals = Signals()
    signals.catch()  # first, since from the moment that it holds the lock a worker may be sent some
    try:
        run.read()  # before a word is written into a run that this version cannot read
        with run.hold():
            check_journal(run)
            end = finished(run.journal)
            if end and (options.epochs or 0) <= end.epoch and not options.checkpoint:
                return 0
            if options.tied:
                tie_to_parent(signals)
            return Session(run, options, signals).work()
    except UserError as error:
        log(str(error))
        return 2
    except OSError as error:
        log(f"{error.filename or run.path}: {error.strerror}")
        return 3


if __name__ == "__main__":
    os.umask(0o077)  # what libraries write beside us, a compiler's cache for one, is for its owner alone too
    faulthandler.enable(all_threads=False)  # a crash in native code leaves its stack in the worker's log
    sys.exit(main())

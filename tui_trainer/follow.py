"""Watching a worker from the program that started it until it is gone, and what that gives as an exit status."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, NamedTuple, TypeAlias

from msgspec.structs import replace

from core.errors import UserError
from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.view import whole
from core.view.state import State
from core.view.summary import summarise, with_liveness
from tui_trainer import worker_log
from tui_trainer.plain import Output

INTERVAL = 0.1
"""Seconds between two looks at the journal."""

Worker: TypeAlias = "subprocess.Popen[bytes]"
Printer: TypeAlias = Callable[[RunFolder, State], Output]
"""Makes what prints a run, of which so much is known already."""


class Signals:
    """While entered, INT and TERM go to the worker, which saves and leaves at the first and dies of the second. HUP is left
    alone: it ends this process, and the worker trains on. Only a program's main thread is told of signals: in another one they
    stay what they were."""

    PASSED = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.came: list[int] = []
        """All since entering."""
        self._worker: Worker | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._take) for number in self.PASSED}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_to(self, worker: Worker) -> None:
        """From here on, and what came since entering."""
        self._worker = worker
        for number in self.came:
            worker.send_signal(number)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.came.append(number)
        if self._worker is not None:
            self._worker.send_signal(number)


class Ended(NamedTuple):
    """How a worker ended."""

    status: int
    state: State
    signals: tuple[int, ...]
    """That were passed on to it, in their order."""


def follow(
    run: RunFolder, printer: Printer, launch: Callable[[], Worker], look_at: Callable[[State], None] = lambda state: None
) -> Ended:
    """Start a worker, print what it says until it is gone.

    Raises UserError with the worker's own words when it was used wrongly, and that of ``look_at``, which is shown each State
    and may find that there is no point in going on."""
    state, offset = with_liveness(whole.look(run), alive=False), _size(run)
    with Signals() as signals:
        worker = launch()
        signals.pass_to(worker)
        out = printer(run, state)
        try:
            _pump(worker, JournalReader(run.journal, offset), out, look_at)
            state, status = _ended(with_liveness(out.state, alive=False), run, worker), exit_status(worker)
            if status == 2:
                raise UserError(last_words(run, state))
            out.end(state)
        finally:
            out.close()
    return Ended(status, state, tuple(signals.came))


def launch_only(run: RunFolder, launch: Callable[[], Worker]) -> None:
    """Start a worker and leave it; raises UserError when it ended at once, as after a mistake."""
    worker = launch()
    if worker.poll():
        raise UserError(last_words(run, summarise(run)))


def exit_status(worker: Worker) -> int:
    """Its own; 128 + n when it died of a signal that was passed on to it, and 3 of any other, as of a crash in native code."""
    died_of = -worker.returncode
    if died_of <= 0:
        return worker.returncode
    return 128 + died_of if died_of in Signals.PASSED else 3


def _ended(state: State, run: RunFolder, worker: Worker) -> State:
    """A lost run's state with what only the process that started the worker is told: of which signal it died."""
    if state.status != "lost" or worker.returncode >= 0:
        return state
    number = -worker.returncode
    why = " (what the system does when memory runs out)" if number == signal.SIGKILL else ""
    return replace(state, ending=f"the trainer was ended by {_name_of(number)}{why}; see {run.log}")


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def last_words(run: RunFolder, state: State) -> str:
    """Why a worker gave up, from its journal or else its log."""
    if state.refusal or state.failure:
        return state.refusal or state.ending
    words = worker_log.last_lines(run, 1)
    return words[0] if words else f"the worker ended without a word; see {run.log}"


def _pump(worker: Worker, reader: JournalReader, out: Output, look_at: Callable[[State], None]) -> None:
    gone = False
    while not (gone and reader.at_end):
        gone = worker.poll() is not None
        if told := reader.read_lines():
            out.feed(told)
            _shown(look_at, out.state, worker)
        out.tick()
        if not gone and reader.at_end:
            time.sleep(INTERVAL)


def _shown(look_at: Callable[[State], None], state: State, worker: Worker) -> None:
    try:
        look_at(state)
    except UserError:
        worker.terminate()
        worker.wait()  # until it has saved
        raise


def _size(run: RunFolder) -> int:
    try:
        return run.journal.stat().st_size
    except OSError:
        return 0

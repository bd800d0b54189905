"""``python -P -m core.remote.process ROOT ADDRESS FAR`` keeps a run folder below ROOT equal to the run at the address, until
its standard input ends. On its standard output it says in a line what it has come to, ``{"run": NAME}`` or ``{"error": TEXT}``,
and at its end ``{"undelivered": N}``."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import msgspec

from core import commands
from core.errors import UserError
from core.remote import messages as m
from core.remote.address import CAREFUL, parse
from core.remote.connection import Connection, Cut
from core.remote.mirror import Mirror
from core.run import inbox, lock
from core.watching.folders import LOCK

INTERVAL = 0.05
"""Seconds between two looks at what is to be told."""
PING = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds between two attempts to reach the far side; each time twice as long."""
STEADY = 15.0
"""Seconds that a link has lasted after which it is tried again soon: what breaks at once may do so for ever."""
REFUSED_PAUSE = 300.0
"""Seconds between two attempts where ssh was not let in: who tries more often is soon shut out for good."""
CATCHING_UP = 2.0
"""Seconds that the console waits for all of the journal."""
NOT_ASKED = "; ssh cannot ask while a screen is there: leave and attach again (a key in ssh-agent spares that)"
SHORT = 280
"""Characters of why there is no link."""
DELIVERY = 5.0
"""Seconds at the end for what was told and has not arrived yet."""


class Mirroring:
    def __init__(self, mirror: Mirror, far: str, over: threading.Event) -> None:
        self._mirror, self._far, self._over = mirror, far, over
        self._told = dict[str, tuple[Path, str]]()
        """Commands under way by their ids: the file, and what they are."""
        self._announced = self._linked = False
        self._since = self._pinged = self._ready = 0.0

    def work(self) -> None:
        """Raises UserError when it is not to be reached at first; later it is tried again and again."""
        pause, asks = FIRST_PAUSE, True
        while not self._over.is_set():
            refused = self._tried(asks)
            if self._linked and time.monotonic() - self._ready > STEADY:
                pause = FIRST_PAUSE
            self._over.wait(REFUSED_PAUSE if refused else pause)
            asks, pause = False, min(2 * pause, LONGEST_PAUSE)

    def _tried(self, asks: bool) -> bool:
        """One connection, to its end; whether ssh was not let in. Raises UserError when the first one fails."""
        try:
            self._link(asks)
        except (Cut, m.Broken, UserError, OSError) as error:
            if not self._announced:
                raise UserError(_why(error)) from None
            refused = isinstance(error, Cut) and error.refused
            with suppress(OSError):  # its own disk is full: it stands as it stood
                self._mirror.cut(_why(error)[:SHORT] + NOT_ASKED * refused, refused)
            return refused
        return False

    @property
    def undelivered(self) -> int:
        return len(self._waiting())

    def _link(self, asks: bool) -> None:
        self._linked = False
        offset, mark = self._mirror.place()
        known = ["--from", str(offset), "--mark", mark] if offset else []
        address = self._mirror.address
        options = [*CAREFUL, "-o", "Compression=yes", "-o", f"BatchMode={'no' if asks else 'yes'}"]
        words = ["stream", *known, "--", address.path]
        connection = Connection(address.command(words, self._far, options), address.host, asks)
        self._told.clear()  # what has not been answered is told again; the far side knows what it has
        try:
            connection.send(m.Have(media=self._mirror.media()[:800]))
            while not self._done():
                for message in connection.receive(INTERVAL):
                    self._take(message)
                if self._linked:
                    self._tell(connection)
                self._announce()
        finally:
            connection.close()

    def _done(self) -> bool:
        """At the end what was told last is still delivered, where that is possible."""
        if not self._over.is_set():
            self._since = time.monotonic()
            return False
        return not self._waiting() or not self._linked or time.monotonic() - self._since > DELIVERY

    def _take(self, message: m.Message) -> None:
        if not isinstance(message, m.Told):
            self._mirror.take(message)
            if isinstance(message, m.Hello):
                self._linked, self._ready = True, time.monotonic() + CATCHING_UP
            return
        path, name = self._told.pop(message.id, (None, ""))
        if path:
            path.unlink(missing_ok=True)
            if message.refusal:
                self._mirror.refused(message.id, name, message.refusal)

    def _tell(self, connection: Connection) -> None:
        for path in self._waiting():
            command = inbox.read(path)
            told = None if isinstance(command, str) else m.tell(command, commands.encode(command))
            if told is None or isinstance(command, str):
                path.unlink(missing_ok=True)
            elif told.id not in self._told:
                self._told[told.id] = path, commands.name_of(command)
                connection.send(told)
        if time.monotonic() - self._pinged > PING:
            self._pinged = time.monotonic()
            connection.send(m.Ping())

    def _waiting(self) -> list[Path]:
        return inbox.waiting(self._mirror.run.inbox) if self._mirror.run else []

    def _announce(self) -> None:
        if self._mirror.run and not self._announced and (self._mirror.caught_up or time.monotonic() > self._ready):
            self._announced = True
            say({"run": self._mirror.run.name})


def _why(error: Exception) -> str:
    if not isinstance(error, OSError):
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"here, {where}{error.strerror or error}; another folder for it: TUI_TRAINER_CACHE"


def say(value: dict[str, Any]) -> None:
    with suppress(OSError):  # the process that started this one is gone
        os.write(1, msgspec.json.encode(value) + b"\n")


def main() -> None:
    root, address, far = Path(sys.argv[1]), parse(sys.argv[2]), sys.argv[3]
    for number in (signal.SIGINT, signal.SIGHUP):  # these are for the console; ssh, which asks at first, has them as usual
        signal.signal(number, lambda number, frame: None)
    over = threading.Event()
    threading.Thread(target=_wait_for_end, args=(over,), daemon=True).start()
    with ExitStack() as held:
        held.callback(shutil.rmtree, root, ignore_errors=True)  # also where the process that started this one was killed
        held.callback(lock.release, lock.take(root / LOCK, patience=1.0))
        mirror = Mirror(root, address)
        held.callback(mirror.close)
        mirroring = Mirroring(mirror, far, over)
        try:
            mirroring.work()
        except UserError as error:
            say({"error": str(error)})
        except Exception as error:  # a defect: what is written of it below ROOT goes with ROOT
            say({"error": f"{type(error).__name__}: {error}"})
            raise
        else:
            say({"undelivered": mirroring.undelivered})


def _wait_for_end(over: threading.Event) -> None:
    """Of the process that started this one, whatever ended it."""
    while os.read(0, 1):
        pass
    over.set()


if __name__ == "__main__":
    main()

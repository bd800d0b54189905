"""The far side: a run's journal, pictures and log to a descriptor as they grow, and commands from another one into its inbox.
It writes nothing into the run but those commands."""

from __future__ import annotations

import os
import queue
import threading
import time

from core import commands
from core.errors import UNREADABLE, UserError
from core.files import open_plain, read_plain, read_tail
from core.remote import messages as m
from core.remote import place
from core.run import inbox, media
from core.run.folder import LARGEST_RUN_FILE, RunFolder

INTERVAL = 0.1
"""Seconds between two looks at a run that has said nothing new."""
BEAT = 1.0
"""Seconds between two signs of life."""
WAIT = 30.0
"""That the other side may take to say what it has."""
SILENCE = 60.0
"""Seconds without a word from there after which nobody is there any more."""
FIRST_MEDIA = 2 << 20
"""Bytes of the newest pictures that come before the journal which tells of them; the others come after it."""
ANSWERED = 1 << 20
"""Bytes of the journal in which an answer to a command that comes again is looked for."""


def stream(run: RunFolder, offset: int, mark: str, incoming: int, outgoing: int) -> None:
    """Until nobody listens any more. Raises UserError when the run is gone, or is not the one whose journal the other side
    has up to ``offset``."""
    described = run.read()
    if offset and not _same(run, described.id, offset, mark):
        raise UserError(f"run '{run.name}': it is not the run that it was, or its journal was cut; attach again")
    ears = Ears(incoming)
    try:
        Streaming(run, offset, ears, outgoing).work()
    except BrokenPipeError:
        return
    except OSError as error:
        raise UserError(f"run '{run.name}' cannot be read any more: {error.strerror}") from None


def _same(run: RunFolder, identity: str, offset: int, mark: str) -> bool:
    try:
        return place.size(run.journal) >= offset and place.mark(identity, run.journal, offset) == mark
    except OSError:
        return False


class Ears:
    """What the other side says, read by a thread of its own."""

    def __init__(self, incoming: int) -> None:
        self.said: queue.SimpleQueue[m.Message] = queue.SimpleQueue()
        self.heard = time.monotonic()
        self._incoming, self._over = incoming, threading.Event()
        threading.Thread(target=self._work, name="ears", daemon=True).start()

    @property
    def over(self) -> bool:
        return self._over.is_set() or time.monotonic() - self.heard > SILENCE

    def wait(self, seconds: float) -> None:
        self._over.wait(seconds)

    def _work(self) -> None:
        unpacker = m.Unpacker(m.FromHere)
        try:
            while data := os.read(self._incoming, 1 << 16):
                self.heard = time.monotonic()
                for message in unpacker.unpack(data):
                    self.said.put(message)
        except (OSError, m.Broken):
            pass
        self._over.set()


class Streaming:
    """``offset``: up to where the journal has been sent."""

    def __init__(self, run: RunFolder, offset: int, ears: Ears, outgoing: int) -> None:
        self._run, self.offset, self._ears, self._outgoing = run, offset, ears, outgoing
        self._there = set[str]()
        """Media that need not be sent."""
        self._log: tuple[tuple[int, int], int] | None = None
        """Which file the log is, and up to where it has been sent."""
        self._said: bool | None = None
        self._beaten = 0.0

    def work(self) -> None:
        """Raises OSError, and UserError when the run is gone."""
        _write(self._outgoing, m.GREETING % m.PROTOCOL)
        self._send(self._hello())
        self._learn()
        self._send_media(FIRST_MEDIA)
        while not self._ears.over:
            self._hear()
            alive = self._run.alive()  # before the journal is read: then an ending that came in between is sent before
            if not self._send_journal() and not self._send_media(1):
                self._send_log()
                self._beat(alive)
                self._ears.wait(INTERVAL)

    def _hello(self) -> m.Hello:
        data = read_plain(self._run.run_file, LARGEST_RUN_FILE)
        where = str(self._run.path.absolute()).encode("utf-8", "replace").decode()
        return m.Hello(
            run=data, name=self._run.name[:255], path=where[:4000], size=place.size(self._run.journal), time=time.time()
        )

    def _learn(self) -> None:
        try:
            first = self._ears.said.get(timeout=WAIT)
        except queue.Empty:
            return
        if isinstance(first, m.Have):
            self._there |= set(first.media)

    def _hear(self) -> None:
        while not self._ears.said.empty():
            message = self._ears.said.get()
            if isinstance(message, m.Tell):
                self._send(m.Told(id=message.id, refusal=deliver(self._run, message)[:4000]))

    def _send_journal(self) -> bool:
        """The next piece; what it may tell of comes before it, but for what was there at first."""
        try:
            with open_plain(self._run.journal) as file:
                data = os.pread(file.fileno(), m.PIECE, self.offset)
                shorter = os.fstat(file.fileno()).st_size < self.offset
        except FileNotFoundError:
            if not self._run.exists():
                raise UserError(f"run '{self._run.name}' is gone") from None
            return False
        if shorter:
            raise UserError(f"run '{self._run.name}': its journal was cut; attach again")
        if data:
            if self._said is not None:
                self._send_media(media.MOST_BYTES)
            self._send(m.Journal(offset=self.offset, data=data))
            self.offset += len(data)
        return bool(data)

    def _send_media(self, most: int) -> bool:
        """New ones, the newest first, until that many bytes have been sent."""
        sent = 0
        for path in sorted(media.listing(self._run.media), key=lambda path: place_in_time(path), reverse=True):
            if path.name in self._there or sent >= most:
                continue
            self._there.add(path.name)
            try:
                data = read_plain(path, media.LARGEST)
            except OSError:
                continue  # removed meanwhile, or none of ours
            self._send(m.Media(name=path.name, data=data))
            sent += len(data)
        return bool(sent)

    def _send_log(self) -> None:
        """Of a log that was there at first, its end."""
        try:
            status = self._run.log.lstat()
            which = (status.st_dev, status.st_ino)
            if self._log is None or self._log[0] != which or status.st_size < self._log[1]:
                data = read_tail(self._run.log, m.PIECE)
                self._send(m.Log(anew=True, data=data))
                self._log = which, max(status.st_size, len(data))
            elif status.st_size > self._log[1]:
                with open_plain(self._run.log) as file:
                    data = os.pread(file.fileno(), m.PIECE, self._log[1])
                self._send(m.Log(anew=False, data=data))
                self._log = which, self._log[1] + len(data)
        except FileNotFoundError:
            return

    def _beat(self, alive: bool) -> None:
        if alive != self._said or time.monotonic() - self._beaten >= BEAT:
            self._said, self._beaten = alive, time.monotonic()
            self._send(m.Beat(alive=alive))

    def _send(self, message: m.Message) -> None:
        _write(self._outgoing, m.packed(message))


def deliver(run: RunFolder, told: m.Tell) -> str:
    """Put a command into the run's inbox, unless it came before; why it is not there, in words."""
    try:
        command = commands.decode(told.command)
    except UNREADABLE as error:
        return f"not a command: {error}"
    if command.id != told.id:
        return "not a command: it is called otherwise"
    if _known(run, told.id):
        return ""
    try:
        inbox.send(run, command)
    except UserError as error:
        return str(error)
    return ""


def _known(run: RunFolder, identity: str) -> bool:
    """Whether it waits or was answered: the link broke before this could be said."""
    if any(path.name.endswith(f"-{identity}.json") for path in inbox.waiting(run.inbox)):
        return True
    try:
        return f'"{identity}"'.encode() in read_tail(run.journal, ANSWERED)
    except OSError:
        return False


def place_in_time(path: os.PathLike[str]) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]

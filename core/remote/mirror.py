"""What comes over the link, into a run folder of this machine's own. Everything that comes is hostile until it was checked:
names are never taken for paths, pictures must match their SHA-256, the journal leaves room on the disk."""

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path

from msgspec.structs import replace

from core.checkpoint import Damaged
from core.errors import UNREADABLE, UserError
from core.files import create, make_folder, open_to_append, write_whole
from core.format import Newer, decode
from core.remote import messages as m
from core.remote import place
from core.remote.address import Address, of_run
from core.run import link as links
from core.run import lock, media
from core.run.folder import RunFile, RunFolder, free_name
from core.run.link import Link, Refusal

ROOM = 64 << 20
"""Bytes that stay free on the disk."""
LARGEST_LOG = 4 << 20
KEPT_REFUSALS, LONGEST_WORDS = 32, 400
STEP = 0.02
"""Of the journal, between two words on how much of it has come."""


class Mirror:
    """``run`` is there once the far side has said which it is."""

    def __init__(self, root: Path, address: Address) -> None:
        self._root, self.address = root, address
        self.run: RunFolder | None = None
        self.identity = ""
        self.caught_up = False
        """Whether all has come that was there at first."""
        self._size = self._log = 0
        self._lock: int | None = None
        self._link = Link(address=str(address), fetched=0.0)

    @property
    def offset(self) -> int:
        """Up to where the journal is here."""
        return place.size(self.run.journal) if self.run else 0

    def place(self) -> tuple[int, str]:
        """``offset``, and by what the far side knows that it is its own."""
        return (self.offset, place.mark(self.identity, self.run.journal, self.offset)) if self.run else (0, "")

    def media(self) -> tuple[str, ...]:
        return tuple(path.name for path in media.listing(self.run.media)) if self.run else ()

    def take(self, message: m.Message) -> None:
        """Raises Broken for what cannot be, UserError for what ends it, OSError when it cannot be written."""
        match message:
            case m.Hello():
                self._greet(message)
            case _ if self.run is None:
                raise m.Broken("it says something before it says which run it has")
            case m.Journal():
                self._append(message)
            case m.Media():
                self._keep(message)
            case m.Log():
                self._note(message)
            case m.Beat():
                self._beat(message.alive)

    def refused(self, identity: str, command: str, reason: str) -> None:
        refusals = (*self._link.refused, Refusal(identity, command, reason[:LONGEST_WORDS]))[-KEPT_REFUSALS:]
        self._say(replace(self._link, refused=refusals))

    def cut(self, why: str, shut: bool = False) -> None:
        """There is no link from now on, or still none; ``shut`` where it does not come back by itself."""
        since = self._link.away or time.time() + self._link.ahead
        self._say(replace(self._link, away=since, why=why[:LONGEST_WORDS], shut=shut))

    def close(self) -> None:
        self._hold(False)

    def _greet(self, hello: m.Hello) -> None:
        described = _described(hello.run)
        if self.run is not None and described.id != self.identity:
            raise UserError(f"{self.address}: it is another run now; attach again")
        ahead = hello.time - time.time()
        self._size = hello.size
        if self.run is None:
            self._make(hello, described)
        self._hold(True)  # until it is known: a run whose ending has not come yet is not lost
        self._say(
            replace(self._link, away=0.0, why="", shut=False, ahead=ahead if abs(ahead) < 1e10 else 0.0, fetched=self._share())
        )

    def _make(self, hello: m.Hello, described: RunFile) -> None:
        run = RunFolder(self._root / free_name(hello.name[-90:], self._root))
        for folder in (run.path, run.inbox, run.checkpoints, run.media):
            make_folder(folder)
        write_whole(run.run_file, hello.run)
        self.run, self.identity = run, described.id
        self.address = self._settled(hello.path)
        self._link = replace(self._link, address=str(self.address))

    def _settled(self, path: str) -> Address:
        """By where it lies, so that it is the same run when it is reached for again, also of 'last'; only where that is an
        address by which a screen knows a run of another machine."""
        found = Address(self.address.host, self.address.port, path)
        try:
            return found if path.startswith("/") and of_run(str(found)) == found else self.address
        except UserError:
            return self.address

    def _append(self, piece: m.Journal) -> None:
        assert self.run is not None
        if piece.offset != self.offset:
            raise m.Broken(f"its journal goes on at byte {piece.offset:,}, and here it ends at {self.offset:,}")
        self._need(len(piece.data))
        _add(self.run.journal, piece.data)
        share = self._share()
        if share - self._link.fetched >= STEP or share == 1.0 > self._link.fetched:
            self._say(replace(self._link, fetched=share))

    def _need(self, size: int) -> None:
        """Raises OSError where so many bytes leave too little room on the disk."""
        if shutil.disk_usage(self._root).free < ROOM + size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._root))

    def _share(self) -> float:
        return min(self.offset / self._size, 1.0) if self._size else 1.0

    def _keep(self, item: m.Media) -> None:
        assert self.run is not None
        if media.name_of(item.data) != item.name:
            raise m.Broken("a picture that does not match its SHA-256")
        self._need(len(item.data))
        media.Media(self.run.media).keep(item.data)

    def _note(self, piece: m.Log) -> None:
        """Where it has become too long, its latest piece alone."""
        assert self.run is not None
        self._log = len(piece.data) if piece.anew else self._log + len(piece.data)
        if piece.anew or self._log > LARGEST_LOG:
            self._log = len(piece.data)
            self.run.log.unlink(missing_ok=True)
            with create(self.run.log) as file:
                file.write(piece.data)
        else:
            _add(self.run.log, piece.data)

    def _beat(self, alive: bool) -> None:
        """It comes when all of the journal has."""
        self._hold(alive)
        self.caught_up = True
        if self._link.fetched < 1:
            self._say(replace(self._link, fetched=1.0))

    def _hold(self, alive: bool) -> None:
        """The lock of the run here, as long as the run there has a trainer as far as is known."""
        if alive and self._lock is None and self.run:
            self._lock = lock.take(self.run.lock, patience=1.0)
        elif not alive and self._lock is not None:
            lock.release(self._lock)
            self._lock = None

    def _say(self, link: Link) -> None:
        self._link = link
        if self.run:
            links.write(self.run.path, link)


def _described(data: bytes) -> RunFile:
    try:
        return decode(data, RunFile)
    except Newer:
        raise UserError("the run there is of a later version; update tui-trainer here to look at it") from None
    except (*UNREADABLE, Damaged) as error:
        raise m.Broken(f"its run.json is damaged ({error})") from None


def _add(path: Path, data: bytes) -> None:
    descriptor = open_to_append(path)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)

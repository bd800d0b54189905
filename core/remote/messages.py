"""What goes over the link. Each side announces itself with a line; then come messages, msgpack behind four bytes of length.
Whatever comes in is held against its type and its bounds before anything is done with it."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from core.commands import Command
from core.errors import UNREADABLE
from core.format import prepare
from core.run import inbox, media
from core.run.folder import LARGEST_RUN_FILE

PROTOCOL = 1
GREETING = b"tui-trainer stream %d\n"
GREETED = re.compile(rb"tui-trainer stream (\d{1,6})\n")
MOST_NOISE = 64 << 10
"""Bytes that a far shell may print before that."""
PIECE = 256 << 10
"""Bytes of the journal or the log at a time."""
LARGEST = media.LARGEST + (64 << 10)
"""Bytes of a message."""
HEAD = 4

Id: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{12}\Z")]
Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Text: TypeAlias = Annotated[str, Meta(max_length=4000)]
Piece: TypeAlias = Annotated[bytes, Meta(max_length=PIECE)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    pass


# From the far side


class Hello(Message, frozen=True, kw_only=True, tag=True):
    run: Annotated[bytes, Meta(max_length=LARGEST_RUN_FILE)]
    """Its run.json as it is."""
    name: Annotated[str, Meta(max_length=255)]
    path: Text
    size: Count
    """Of the journal."""
    time: float


class Beat(Message, frozen=True, kw_only=True, tag=True):
    """At least every second once the journal has come."""

    alive: bool


class Journal(Message, frozen=True, kw_only=True, tag=True):
    offset: Count
    data: Piece


class Media(Message, frozen=True, kw_only=True, tag=True):
    name: Name
    data: Annotated[bytes, Meta(max_length=media.LARGEST)]


class Log(Message, frozen=True, kw_only=True, tag=True):
    """``anew``: in the place of what came before."""

    anew: bool
    data: Piece


class Told(Message, frozen=True, kw_only=True, tag=True):
    """A command lies in the run's inbox, or why it does not."""

    id: Id
    refusal: Text = ""


# From this side


class Have(Message, frozen=True, kw_only=True, tag=True):
    """First of all: media that need not come again."""

    media: Annotated[tuple[Name, ...], Meta(max_length=4 * media.MOST)] = ()


class Tell(Message, frozen=True, kw_only=True, tag=True):
    id: Id
    command: Annotated[bytes, Meta(max_length=inbox.LARGEST)]


class Ping(Message, frozen=True, kw_only=True, tag=True):
    pass


FromFar: TypeAlias = Hello | Beat | Journal | Media | Log | Told
FromHere: TypeAlias = Have | Tell | Ping
prepare(Hello, Beat, Journal, Media, Log, Told, Have, Tell, Ping)
_encoder = msgspec.msgpack.Encoder()


class Broken(Exception):
    """What came is not what the other side sends."""


def packed(message: Message) -> bytes:
    data = _encoder.encode(message)
    return len(data).to_bytes(HEAD, "big") + data


class Unpacker:
    """Bytes in as they come, whole messages out."""

    def __init__(self, kinds: object) -> None:
        self._decoder = msgspec.msgpack.Decoder(kinds)
        self._rest = bytearray()
        self._greeted = False

    @property
    def said(self) -> bytes:
        """What came before any greeting."""
        return b"" if self._greeted else bytes(self._rest[:200])

    def unpack(self, data: bytes) -> list[Message]:
        """Raises Broken."""
        self._rest += data
        if not self._greeted and not self._greeting():
            return []
        found = list[Message]()
        while (size := self._next()) is not None:
            try:
                found.append(self._decoder.decode(self._rest[HEAD : HEAD + size]))
            except UNREADABLE as error:
                raise Broken(f"not a message: {error}") from None
            del self._rest[: HEAD + size]
        return found

    def _greeting(self) -> bool:
        if (found := GREETED.search(self._rest)) is None:
            if len(self._rest) > MOST_NOISE:
                raise Broken("it does not greet as tui-trainer does")
            return False
        if int(found[1]) != PROTOCOL:
            update = "there" if int(found[1]) < PROTOCOL else "here"
            raise Broken(f"it speaks version {int(found[1])} and this one {PROTOCOL}: update tui-trainer {update}")
        del self._rest[: found.end()]
        self._greeted = True
        return True

    def _next(self) -> int | None:
        """Bytes of the next message, when it is there as a whole."""
        if len(self._rest) < HEAD:
            return None
        size = int.from_bytes(self._rest[:HEAD], "big")
        if size > LARGEST:
            raise Broken(f"a message of {size:,} bytes, where at most {LARGEST:,} were expected")
        return size if len(self._rest) >= HEAD + size else None


def tell(command: Command, data: bytes) -> Tell | None:
    """None for what no console of ours has sent."""
    try:
        return msgspec.convert({"type": "Tell", "id": command.id, "command": data}, Tell)
    except msgspec.ValidationError:
        return None

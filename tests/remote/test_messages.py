"""What comes over the link is hostile until it was checked: cut anywhere, damaged, too large, or not ours at all."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from core.remote import messages as m
from core.remote.address import Address
from core.remote.mirror import Mirror
from core.run import link, media
from core.view.linked import linked
from core.view.state import State

GREETING = m.GREETING % m.PROTOCOL
PICTURE = b"a picture"
RUN = b'{"format": 1, "id": "abc", "name": "a"}'
HELLO = m.Hello(run=RUN, name="a", path="/runs/a", size=6, time=1.0)
SAID: list[m.Message] = [
    HELLO,
    m.Journal(offset=0, data=b"one\n"),
    m.Media(name=hashlib.sha256(PICTURE).hexdigest(), data=PICTURE),
    m.Journal(offset=4, data=b"2\n"),
    m.Log(anew=True, data=b"words"),
    m.Log(anew=False, data=b" more"),
    m.Beat(alive=True),
    m.Told(id="0123456789ab", refusal="no"),
]
BYTES = GREETING + b"".join(map(m.packed, SAID))


def unpacked(*pieces: bytes) -> list[m.Message]:
    unpacker = m.Unpacker(m.FromFar)
    return [message for piece in pieces for message in unpacker.unpack(piece)]


@given(st.lists(st.integers(0, len(BYTES)), max_size=8))
def test_cut_anywhere_it_is_the_same(places: list[int]) -> None:
    ends = [0, *sorted(places), len(BYTES)]
    assert unpacked(*(BYTES[begin:end] for begin, end in pairwise(ends))) == SAID


def test_what_a_shell_prints_before_is_passed_over() -> None:
    assert unpacked(b"Welcome!\n\x1b[31m", BYTES) == SAID
    with pytest.raises(m.Broken, match="does not greet"):
        unpacked(b"x" * (m.MOST_NOISE + 1))


@pytest.mark.parametrize(("version", "where"), [(0, "there"), (m.PROTOCOL + 1, "here")])
def test_another_version_says_which_side_is_to_be_updated(version: int, where: str) -> None:
    with pytest.raises(m.Broken, match=f"update tui-trainer {where}"):
        unpacked(m.GREETING % version)


def packed(**fields: object) -> bytes:
    data = msgspec.msgpack.encode(fields)
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    "message",
    [
        (m.LARGEST + 1).to_bytes(4, "big"),
        packed(type="Journal", offset=-1, data=b""),
        packed(type="Journal", offset=0, data=b"x" * (m.PIECE + 1)),
        packed(type="Media", name="../../x", data=b""),
        packed(type="Media", name="0" * 64 + "\n", data=b""),
        packed(type="Told", id="../x"),
        packed(type="Told", id="0123456789ab", refusal="x" * 4001),
        packed(type="Tell", id="0123456789ab", command=b""),
        packed(type="Nothing"),
        packed(type="Hello", name="x"),
        b"\0\0\0\1\xc1",
    ],
)
def test_what_is_no_message_ends_the_link(message: bytes) -> None:
    with pytest.raises(m.Broken):
        unpacked(GREETING, message)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(BYTES) - 1), st.binary(min_size=1, max_size=9), st.booleans())
def test_damaged_bytes_touch_nothing_outside(place: int, damage: bytes, anew: bool) -> None:
    data = BYTES[:place] + damage + BYTES[place + (0 if anew else len(damage)) :]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        root.mkdir()
        mirror = Mirror(root, Address("far", None, "a"))
        with suppress(m.Broken, UserError):
            for message in unpacked(data):
                mirror.take(message)
        mirror.close()
        assert [path.name for path in Path(name).iterdir()] == ["root"]
        for run in root.iterdir():
            assert {path.name for path in run.iterdir()} <= {
                "run.json", "events.jsonl", "inbox", "checkpoints", "media", "worker.log", "lock", "link.json",
            }  # fmt: skip
            assert all(media.name_of(path.read_bytes()) == path.name for path in (run / "media").iterdir())


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    made = Mirror(tmp_path, Address("far", None, "last"))
    made.take(HELLO)
    return made


def test_what_comes_is_kept_as_it_came(mirror: Mirror) -> None:
    assert mirror.run is not None and not mirror.caught_up and mirror.run.alive()
    for message in SAID[1:-1]:
        mirror.take(message)
    assert mirror.run.journal.read_bytes() == b"one\n2\n"
    assert mirror.run.log.read_bytes() == b"words more"
    assert mirror.media() == (hashlib.sha256(PICTURE).hexdigest(),)
    assert mirror.caught_up and mirror.run.alive()
    mirror.take(m.Beat(alive=False))
    assert not mirror.run.alive()
    known = link.read(mirror.run.path)
    assert known and (known.address, known.fetched, known.away) == ("ssh://far/runs/a", 1.0, 0.0)


@pytest.mark.parametrize(
    "message",
    [
        m.Journal(offset=4, data=b"x"),
        m.Media(name="0" * 64, data=b"x"),
        m.Hello(run=b"{", name="a", path="/a", size=0, time=0.0),
        m.Hello(run=b"[" * 100_000, name="a", path="/a", size=0, time=0.0),
    ],
)
def test_what_cannot_be_ends_the_link(mirror: Mirror, message: m.Message) -> None:
    with pytest.raises(m.Broken):
        mirror.take(message)


def test_another_run_of_that_name_is_noticed(mirror: Mirror) -> None:
    with pytest.raises(UserError, match="another run now"):
        mirror.take(m.Hello(run=RUN.replace(b"abc", b"xyz"), name="a", path="/runs/a", size=0, time=0.0))
    with pytest.raises(UserError, match="later version; update tui-trainer here"):
        mirror.take(m.Hello(run=b'{"format": 99}', name="a", path="/runs/a", size=0, time=0.0))


@pytest.mark.parametrize("name", ["../../up", "/etc/x", "..", "", "a\0b", "\x1b[31m", "x" * 255])
def test_a_hostile_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    mirror = Mirror(tmp_path, Address("far", None, "a"))
    mirror.take(m.Hello(run=RUN, name=name, path="../x", size=0, time=1e300))
    mirror.close()
    assert mirror.run is not None and mirror.run.path.parent == tmp_path
    assert str(mirror.address) == "ssh://far/~/a"


@pytest.mark.parametrize("path", ["/", "//", "/~", "/~/a", "/a\0b", "", "a", pytest.param("/" + "\x1b" * 3999, id="long")])
def test_whatever_it_says_of_its_place_it_is_known_for_a_run_of_another_machine(tmp_path: Path, path: str) -> None:
    """Else it would be one of this machine, which is resumed here by a key."""
    mirror = Mirror(tmp_path, Address("far", None, "a"))
    mirror.take(m.Hello(run=RUN, name="a", path=path, size=0, time=1.0))
    for number in range(40):
        mirror.refused(f"{number:012x}", "Pause", "\x1b" * 4000)
    mirror.cut("\x1b" * 4000)
    mirror.close()
    assert mirror.run is not None
    known = link.read(mirror.run.path)
    assert known is not None and known.address == str(mirror.address) and known.address.startswith("ssh://far/")


@pytest.mark.parametrize("message", [m.Journal(offset=0, data=b"x"), SAID[2]])
def test_a_full_disk_is_said_before_it_is_full(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, message: m.Message) -> None:
    monkeypatch.setattr("core.remote.mirror.ROOM", 1 << 60)
    with pytest.raises(OSError, match="No space left"):
        mirror.take(message)
    assert mirror.offset == 0 and not mirror.media()


def test_the_log_stays_bounded(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.remote.mirror.LARGEST_LOG", 10)
    for _ in range(9):
        mirror.take(m.Log(anew=False, data=b"1234"))
    assert mirror.run is not None and mirror.run.log.read_bytes() == b"1234"


def test_reasons_that_alternate_are_said_once_each_time_that_it_breaks(mirror: Mirror) -> None:
    assert mirror.run is not None
    state = State()
    for broken in (1000.0, 2000.0):
        for attempt in range(100):
            why = ("No route to host", "Connection timed out")[attempt % 2]
            link.write(mirror.run.path, link.Link(address="ssh://far/a", away=broken, why=why))
            state = linked(state, mirror.run, broken + 15 * attempt)
            assert state.unlinked == why
    said = [message.text for message in state.messages]
    assert said == 2 * ["no link: No route to host", "no link: Connection timed out"]


@pytest.mark.parametrize("text", ['{"address": "ssh://-oProxyCommand=x/a"}', '{"address": "ssh://far"}', "{", "[" * 100_000])
def test_a_copied_run_brings_no_link_along_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / link.NAME).write_text(text)
    assert link.read(tmp_path) is None

"""Fetching CIFAR-10 from a server on this machine that behaves and misbehaves in turn."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core import data
from core.data import download
from core.errors import UserError
from core.sections import Data
from tests.core import cifar_forms as forms

BINARY = forms.binary_files()
ARCHIVE = forms.archive("cifar-10-batches-bin", BINARY)


class Server(ThreadingHTTPServer):
    """Serves ``content``; the attributes say how, ``ranges`` what was asked for."""

    content = ARCHIVE
    cut: int | None = None
    """Break the connection after so many bytes."""
    knows_ranges = True
    status: int | None = None
    stalls = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.ranges: list[str | None] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/cifar-10-binary.tar.gz"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.server.stalls:
            self.server.released.wait(10)
        elif self.server.status:
            self.send_error(self.server.status)
        else:
            self._send(int(re.findall(r"\d+", asked)[0]) if asked and self.server.knows_ranges else 0)

    def _send(self, begin: int) -> None:
        content = self.server.content
        if begin >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self.wfile.write(content[begin : self.server.cut])

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("TUI_TRAINER_DATA", raising=False)
    forms.publish(monkeypatch, BINARY, forms.python_files(), (ARCHIVE, b""))
    with serving() as server:
        monkeypatch.setenv("TUI_TRAINER_CIFAR10_URL", server.url)
        yield server


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "cifar-10-binary.tar.gz"


def part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


class Cancelled(Exception):
    pass


def cancel_after(count: int) -> data.Progress:
    def progress(phase: str, done: int, total: int, unit: str) -> None:
        if done >= count:
            raise Cancelled

    return progress


def test_whole_download_reports_progress(server: Server, target: Path) -> None:
    calls: list[tuple[str, int, int, str]] = []
    assert data.fetch("cifar10", lambda *call: calls.append(call)) == target
    assert target.read_bytes() == ARCHIVE and not part(target).exists()
    assert calls[0] == ("download", 0, 0, "bytes")
    assert calls[-1] == ("download", len(ARCHIVE), len(ARCHIVE), "bytes")
    assert [call[1] for call in calls] == sorted(call[1] for call in calls)


def test_load_fetches_what_is_missing_once(server: Server, target: Path) -> None:
    first = data.load(Data())
    assert len(first.train.labels) == 5 * forms.COUNT
    assert data.load(Data()).fingerprint == first.fingerprint
    assert data.fetch("cifar10") == target
    assert server.ranges == [None]


def test_interrupted_download_goes_on_where_it_was(server: Server, target: Path) -> None:
    server.cut = 5000
    with pytest.raises(UserError, match=r"ended after 5,000 of [\d,]+ bytes; the next attempt goes on from there"):
        data.fetch("cifar10")
    assert not target.exists() and part(target).stat().st_size == 5000
    server.cut = None
    data.fetch("cifar10")
    assert server.ranges == [None, "bytes=5000-"] and target.read_bytes() == ARCHIVE


def test_server_without_ranges_starts_again(server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    part(target).write_bytes(b"x" * 5000)
    server.knows_ranges = False
    data.fetch("cifar10")
    assert server.ranges == ["bytes=5000-"] and target.read_bytes() == ARCHIVE


@pytest.mark.parametrize("size", [len(ARCHIVE), len(ARCHIVE) + 1])
def test_part_that_lacks_nothing(size: int, server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    part(target).write_bytes((ARCHIVE + b"x")[:size])
    if size == len(ARCHIVE):
        data.fetch("cifar10")
    else:
        with pytest.raises(UserError, match="published checksum"):
            data.fetch("cifar10")
        data.fetch("cifar10")
    assert target.read_bytes() == ARCHIVE


def test_wrong_checksum_is_thrown_away(server: Server, target: Path) -> None:
    server.content = ARCHIVE[:-1] + b"?"
    with pytest.raises(UserError, match=r"does not have the published checksum .*; try again, or set TUI_TRAINER_CIFAR10_URL"):
        data.fetch("cifar10")
    assert not target.exists() and not part(target).exists()


def test_damaged_file_in_the_cache_is_fetched_anew(server: Server, target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(b"damaged")
    with pytest.raises(UserError, match="remove or replace it"):
        data.load(Data())
    assert data.fetch("cifar10").read_bytes() == ARCHIVE


@pytest.mark.parametrize(("status", "reason"), [(404, "404 Not Found"), (503, "503 Service Unavailable")])
def test_error_of_the_server_is_one_line(status: int, reason: str, server: Server) -> None:
    server.status = status
    with pytest.raises(UserError, match=f"the server answers {reason}; set TUI_TRAINER_CIFAR10_URL to a mirror") as error:
        data.fetch("cifar10")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://nowhere.invalid/x"])
def test_no_connection_is_one_line(url: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CIFAR10_URL", url)
    with pytest.raises(UserError, match=r"no connection \(.*\); set TUI_TRAINER_CIFAR10_URL"):
        data.fetch("cifar10")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "x"])
def test_other_schemes_are_refused(url: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CIFAR10_URL", url)
    with pytest.raises(UserError, match="expected an address that begins with https"):
        data.fetch("cifar10")


@pytest.mark.parametrize("url", ["http://[", "http://a b/", "http://127.0.0.1:port/"])
def test_malformed_address_is_one_line(url: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CIFAR10_URL", url)
    with pytest.raises(UserError, match="set TUI_TRAINER_CIFAR10_URL"):
        data.fetch("cifar10")


def test_silent_server_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    server.stalls = True
    with pytest.raises(UserError, match=r"set TUI_TRAINER_CIFAR10_URL"):
        data.fetch("cifar10")


def test_cancelled_download_shows_nothing_and_can_go_on(server: Server, target: Path) -> None:
    with pytest.raises(Cancelled):
        data.fetch("cifar10", cancel_after(1))
    assert not target.exists() and part(target).stat().st_size > 0
    data.fetch("cifar10")
    assert target.read_bytes() == ARCHIVE and server.ranges[1] is not None


def test_cancel_before_the_first_byte(server: Server, target: Path) -> None:
    with pytest.raises(Cancelled):
        data.fetch("cifar10", cancel_after(0))
    assert server.ranges == [] and not target.exists()


def test_cache_that_cannot_be_written_is_one_line(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot be written: .*; free some space there, or set TUI_TRAINER_CACHE"):
        data.fetch("cifar10")


@pytest.mark.parametrize(("name", "reason"), [("sample", "comes with the package"), ("folder", "your own images")])
def test_sources_that_have_nothing_to_fetch_say_so(name: str, reason: str) -> None:
    with pytest.raises(UserError, match=f"{reason}.*nothing to fetch"):
        data.fetch(name)

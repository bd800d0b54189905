"""``tui-trainer serve`` as whoever can reach its port meets it: with its address, without it, and with bad intentions."""

from __future__ import annotations

import asyncio
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import psutil
import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.cli.conftest import COMMAND, wait_for
from tests.tui import runs as made
from tests.web.conftest import Environment, Served, serving
from tui_trainer.web import server as web
from tui_trainer.web.guard import HEADERS, access

Serve: TypeAlias = Callable[..., AbstractContextManager[Served]]
SOCKET = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "x" * 22 + "=="}
FILES = ("", "page.css", "page.js", "terminal/js/textual.js", "terminal/css/xterm.css")
LONGEST = 60.0
"""Seconds that anything may take."""


@pytest.fixture(scope="module")
def served(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(environment, tmp_path_factory.mktemp("served")) as served:
        yield served


@asynccontextmanager
async def tab(served: Served) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    place, cookie = served.entered()
    host = f"127.0.0.1:{served.port}"
    headers = {"Origin": f"http://{host}", "Cookie": cookie}
    address = f"ws://{host}{place}ws?width=100&height=30"
    async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers) as socket:
        yield socket


async def shown(socket: aiohttp.ClientWebSocketResponse, words: str) -> None:
    """Once they are in what the console has written, without what only places or colours them."""
    text = ""
    async with asyncio.timeout(LONGEST):
        while words not in text:
            message = await socket.receive()
            assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), (message, text[-300:])
            if message.type is aiohttp.WSMsgType.BINARY:
                text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", message.data.decode("utf-8", "replace"))


async def last(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
    """What comes after all that the console has written."""
    async with asyncio.timeout(LONGEST):
        while (message := await socket.receive()).type is aiohttp.WSMsgType.BINARY:
            pass
    return message


def test_without_its_token_it_says_nothing(served: Served) -> None:
    place, cookie = served.entered()
    for path in ("/", "/?token=", "/?token=wrong", f"{place}ws", "/no/such", *(f"{place}{name}" for name in FILES)):
        assert served.ask(path).status == 401, path
        assert served.ask(path, Cookie=f"{cookie}x").status == 401, path
    assert served.ask("/", Cookie=cookie).status == 401
    assert served.ask(f"{place}?{served.address.partition('?')[2]}").status == 401


def test_with_it_the_page_and_all_that_it_is_made_of_are_there(served: Served) -> None:
    place, cookie = served.entered()
    assert "token" not in place
    for name in FILES:
        assert served.ask(f"{place}{name}", Cookie=cookie).status == 200, name
    assert served.ask(f"{place}terminal/", Cookie=cookie).status in (403, 404)
    assert served.ask(f"{place}terminal/../../server.py", Cookie=cookie).status == 404
    answer = served.ask("/?" + served.address.partition("?")[2])
    assert {"HttpOnly", "SameSite=Strict", f"Path={place}"} <= set(answer.headers["Set-Cookie"].split("; "))
    assert len(cookie) > 40


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "localhost.evil:{port}", "127.0.0.1.evil", "127.0.0.1:"]
)
def test_called_by_another_name_it_refuses(served: Served, host: str) -> None:
    place, cookie = served.entered()
    assert served.ask(place, Cookie=cookie, Host=host.format(port=served.port)).status == 403
    for own in ("localhost", f"LOCALHOST:{served.port}", "127.0.0.1:9999", "[::1]:80"):  # a tunnel may change the port
        assert served.ask(place, Cookie=cookie, Host=own).status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1", ""])
def test_no_other_page_gets_a_socket(served: Served, origin: str) -> None:
    place, cookie = served.entered()
    assert served.ask(f"{place}ws", Cookie=cookie, Origin=origin, **SOCKET).status == 403
    assert served.ask(place, Cookie=cookie, Origin=origin).status == 403
    assert served.consoles() == []


def test_nor_does_one_that_says_not_whose_it_is(served: Served) -> None:
    place, cookie = served.entered()
    assert served.ask(f"{place}ws", Cookie=cookie, **SOCKET).status == 403


def test_every_answer_has_the_headers_that_keep_it_in(served: Served) -> None:
    place, cookie = served.entered()
    answers = [served.ask("/"), served.ask("/", Host="evil"), served.ask("/no", Cookie=cookie)]
    answers += [served.ask(f"{place}{name}", Cookie=cookie) for name in FILES]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"] and HEADERS["Cache-Control"] == "no-store"


def test_the_page_names_no_other_place() -> None:
    for name in ("page.html", "page.css", "page.js"):
        text = (files("tui_trainer.web") / "page" / name).read_text("utf-8")
        assert not re.search(r"https?://|//[a-z]|@import|url\(", text.replace("//${", "").replace("// ", "")), name


async def test_what_is_no_message_hurts_nobody(served: Served) -> None:
    async with tab(served) as socket:
        await shown(socket, "no runs")
        for text in (
            "",
            "no json",
            "[]",
            "{}",
            "null",
            '["stdin", 5]',
            '["resize", {"width": "x", "height": -1e99}]',
            '["resize"]',
        ):
            await socket.send_str(text)
        await socket.send_bytes(b"\x00")
        await socket.send_json(["ping", "still there"])
        assert (await last(socket)).json() == ["pong", "still there"]


async def test_q_says_how_to_leave_and_leaves_no_dead_page(serve: Serve, tmp_path: Path) -> None:
    made.make(tmp_path / "runs", "demo", made.early_stopped())
    with serve("demo") as served:
        async with tab(served) as socket:
            await shown(socket, "early stop")
            await socket.send_json(["stdin", "q"])
            await shown(socket, "close its tab to")
            assert len(served.consoles()) == 1
        wait_for(lambda: served.consoles() == [])


NAME = 'it\'s "two" $(touch made) `touch made`; touch made #'


async def test_a_hostile_name_is_only_a_name(serve: Serve, tmp_path: Path) -> None:
    run = made.make(tmp_path / "my runs", NAME, made.early_stopped())
    with serve(NAME, "--runs", "my runs") as served:
        async with tab(served) as socket:
            await shown(socket, NAME[:20])
        place, cookie = served.entered()
        page = served.ask(place, Cookie=cookie).text
    assert "<title>it&#x27;s &quot;two&quot; $(touch made)" in page
    assert not list(tmp_path.rglob("made")) and run.exists()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
async def test_no_console_outlives_the_server(serve: Serve, end: signal.Signals) -> None:
    with serve() as served:
        async with tab(served) as socket:
            await shown(socket, "no runs")
            consoles = served.consoles()
            assert len(consoles) == 1
            served.process.send_signal(end)
            assert served.process.wait(30) == (-end if end == signal.SIGKILL else 0)
            if end != signal.SIGKILL:
                assert (await last(socket)).type is aiohttp.WSMsgType.CLOSE
    assert psutil.wait_procs(consoles, LONGEST)[1] == []


@asynccontextmanager
async def client(command: Sequence[str]) -> AsyncIterator[tuple[TestClient[Any, Any], web.Server]]:
    server = web.Server(command, "title", access(token=False))
    async with TestClient(TestServer(server.application())) as client:
        yield client, server


async def test_there_is_an_end_to_tabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MOST", 0)
    async with client(["false"]) as (asking, server):
        own = f"http://{asking.host}:{asking.port}"
        assert (await asking.get(f"{server.access.place}ws", headers={"Origin": own})).status == 503


async def test_a_console_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.2)
    before = set(psutil.Process().children())
    async with client(["sleep", "1000"]) as (asking, server):
        own = f"http://{asking.host}:{asking.port}"
        async with asking.ws_connect(f"{server.access.place}ws", headers={"Origin": own}):
            while not (consoles := set(psutil.Process().children()) - before):
                await asyncio.sleep(0.05)
        async with asyncio.timeout(LONGEST):
            while set(psutil.Process().children()) & consoles:
                await asyncio.sleep(0.05)
    assert server._open == set()


def refused(environment: Environment, folder: Path, *arguments: str) -> str:
    command = [*COMMAND, "serve", *arguments]
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 2 and process.stdout == "" and len(process.stderr.splitlines()) == 1, process
    return process.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("nosuch", "run 'nosuch' not found"),
        ("--host no.such.invalid", "--host 'no.such.invalid': no address"),
        ("--host 192.0.2.1", "192.0.2.1:8000: cannot listen there"),
        ("--host 0.0.0.0 --port 0 --no-token", "--no-token"),
        ("--port 65536", "--port"),
        ("--runs file", "file: not a folder"),
    ],
)
def test_wrong_use_is_one_line(arguments: str, words: str, environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert words in refused(environment, tmp_path, *shlex.split(arguments))


def test_a_port_that_is_taken_is_one_line(served: Served, environment: Environment, tmp_path: Path) -> None:
    words = f"127.0.0.1:{served.port}: cannot listen there: Address already in use; choose another --port"
    assert words in refused(environment, tmp_path, "--port", str(served.port))


def test_without_the_extra_one_line_names_it(environment: Environment, tmp_path: Path) -> None:
    program = "import sys; sys.modules['textual_serve'] = None; sys.argv = ['tui-trainer', 'serve']\n"
    program += "from tui_trainer.__main__ import main; main()"
    command = [sys.executable, "-P", "-c", program]
    process = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 2 and "needs the extra 'serve'" in process.stderr
    assert len(process.stderr.splitlines()) == 1


def test_for_others_it_asks_for_a_token_and_says_what_that_is_worth(environment: Environment, tmp_path: Path) -> None:
    command, pipe = [*COMMAND, "serve", "--host", "0.0.0.0", "--port", "0"], subprocess.PIPE
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout
    served = Served(process, process.stdout.readline().strip())
    assert len(served.address.partition("?token=")[2]) >= 43
    assert served.ask("/", Host="any.example").status == 401
    process.terminate()
    assert "not encrypted" in process.communicate(timeout=30)[1]


def test_without_a_token_the_names_still_count(serve: Serve) -> None:
    with serve("--no-token") as served:
        assert "token" not in served.address
        place = served.ask("/").headers["Location"]
        assert served.ask(place).status == 200
        assert served.ask(place, Host="evil.example").status == 403
        assert served.ask(f"{place}ws", Origin="http://evil.example", **SOCKET).status == 403

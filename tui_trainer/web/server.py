"""Serves the console: a page, what it is made of, and a socket for each tab, behind which a console runs."""

from __future__ import annotations

import asyncio
import html
import ipaddress
import os
import shlex
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from core.errors import UserError
from core.run.folder import RunFolder
from tui_trainer.escape import printable
from tui_trainer.web.guard import COOKIE, Access, access, guard, harden

MOST = 16
"""Tabs at a time; each is a process."""
LARGEST = (1000, 500)
"""Cells of a terminal."""
LONGEST = 1 << 20
"""Bytes of a message from the page."""
PATIENCE = 5.0
"""Seconds that a console has to end by itself."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PAGE = files("tui_trainer.web") / "page"


class Server:
    """``command`` starts a console; ``title`` is that of the page."""

    def __init__(self, command: Sequence[str], title: str, access: Access) -> None:
        self.command, self.access = f"exec {shlex.join(command)}", access
        """For a shell, since textual-serve has one start it."""
        self._page = Template((PAGE / "page.html").read_text("utf-8")).substitute(title=html.escape(printable(title)))
        self._open: set[web.WebSocketResponse] = set()
        self._ending: set[asyncio.Future[None]] = set()

    def application(self) -> web.Application:
        import textual_serve

        place, terminal = self.access.place, Path(textual_serve.__file__).parent / "static"
        app = web.Application(middlewares=[guard(self.access)])
        app.add_routes([web.get("/", self.enter), web.get(place, self.page), web.get(f"{place}ws", self.console)])
        app.add_routes([web.get(f"{place}{name}", _file(name)) for name in ("page.css", "page.js")])
        app.add_routes([web.static(f"{place}terminal", terminal)])
        app.on_response_prepare.append(harden)
        app.on_shutdown.append(self.close)
        app.on_cleanup.append(self.clear)
        return app

    async def enter(self, request: web.Request) -> web.Response:
        """From the address that was printed to the page, whose own address is without the token."""
        answer = web.Response(status=303, headers={"Location": self.access.place})
        if self.access.token is not None:
            answer.set_cookie(COOKIE, self.access.token, path=self.access.place, httponly=True, samesite="Strict")
        return answer

    async def page(self, request: web.Request) -> web.Response:
        return web.Response(text=self._page, content_type="text/html")

    async def console(self, request: web.Request) -> web.StreamResponse:
        """One tab. Its console ends with it."""
        if len(self._open) >= MOST:
            return web.Response(status=503, text=f"tui-trainer serve: {MOST} tabs are open; close one\n")
        tab = web.WebSocketResponse(heartbeat=15, max_msg_size=LONGEST)
        await tab.prepare(request)
        self._open.add(tab)
        service = _service(self.command, tab)
        try:
            await service.start(*_size(request.query))
            await _pass_on(tab, service)
        finally:
            self._open.discard(tab)
            await self._see_off(service)
        return tab

    async def _see_off(self, service: AppService) -> None:
        """To its end, although the request that it belongs to is given up with its connection."""
        ending = asyncio.ensure_future(_end(service))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        await asyncio.shield(ending)

    async def close(self, app: web.Application) -> None:
        for tab in tuple(self._open):
            await tab.close(code=WSCloseCode.GOING_AWAY)

    async def clear(self, app: web.Application) -> None:
        await asyncio.gather(*self._ending, return_exceptions=True)


def _service(command: str, tab: web.WebSocketResponse) -> AppService:
    async def close() -> None:
        await tab.close()

    downloads = DownloadManager()
    return AppService(command, write_bytes=tab.send_bytes, write_str=tab.send_str, close=close, download_manager=downloads)


async def _pass_on(tab: web.WebSocketResponse, service: AppService) -> None:
    """What the page says, to the console."""
    async for message in tab:
        if message.type is not WSMsgType.TEXT:
            continue
        with suppress(ValueError):  # no JSON
            match message.json():
                case ["stdin", str(keys)]:
                    await service.send_bytes(keys.encode("utf-8", "replace"))
                case ["resize", dict(size)]:
                    await service.set_terminal_size(*_size(size))
                case ["ping", str() | int() | float() as sent]:
                    await tab.send_json(["pong", sent])
                case ["focus", *_]:
                    await service.focus()
                case ["blur", *_]:
                    await service.blur()


async def _end(service: AppService) -> None:
    process = service._process  # which it tells nobody
    with suppress(TimeoutError, ConnectionError):
        await asyncio.wait_for(service.stop(), PATIENCE)
    if process is not None and process.returncode is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), PATIENCE)
    if process is not None and process.returncode is None:
        process.kill()
        await process.wait()


def _size(said: Any) -> tuple[int, int]:
    """Columns and rows, as far as what was said is that."""
    sides = []
    for name, usual, most in zip(("width", "height"), (80, 24), LARGEST, strict=True):
        side = str(said.get(name, usual))
        sides.append(min(max(int(side), 1), most) if side.isdecimal() and len(side) < 6 else usual)
    return sides[0], sides[1]


def _file(name: str) -> Any:
    content = (PAGE / name).read_text("utf-8")
    kind = "text/css" if name.endswith(".css") else "text/javascript"

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=content, content_type=kind)

    return answer


def listening(host: str, port: int) -> socket.socket:
    """Raises UserError where that cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except socket.gaierror:
        raise UserError(f"--host {host!r}: no address; expected one of this machine, as 127.0.0.1") from None
    except OSError as error:
        raise UserError(
            f"{host}:{port}: cannot listen there: {os.strerror(error.errno or 0)}; choose another --port or --host"
        ) from None


def is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def command(runs: Path, run: RunFolder | None) -> list[str]:
    paths = [str(runs.absolute()), *([str(run.path.absolute())] if run else [])]
    return [sys.executable, "-P", "-m", "tui_trainer.web.console", *paths]


async def serve(server: Server, listener: socket.socket) -> None:
    """Until a signal comes; then every tab is told, and every console ended."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in ENDS:
        loop.add_signal_handler(number, ended.set)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=2 * PATIENCE)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        await ended.wait()
    finally:
        await runner.cleanup()


def address(server: Server, listener: socket.socket, host: str) -> str:
    """For a browser, with the token."""
    return f"http://{_bracketed(host)}:{port(listener)}/" + (f"?token={server.access.token}" if server.access.token else "")


def port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def opened(listener: socket.socket, runs: Path, run: RunFolder | None, token: bool) -> Server:
    loopback = is_loopback(listener)
    if not token and not loopback:
        raise UserError("--no-token: whoever reaches this machine could steer your runs; it goes with --host 127.0.0.1 only")
    title = f"{run.name} - tui-trainer" if run else "tui-trainer"
    names = (*LOOPBACK, _bracketed(listener.getsockname()[0])) if loopback else ()
    return Server(command(runs, run), title, access(token, names))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

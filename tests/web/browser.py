"""A real Chromium without a screen, told what to do over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LONGEST = 90.0
"""Seconds that anything may take."""


def found() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """``asked`` are the addresses that the page has asked for, ``said`` what came over its sockets, as text."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.said = ""
        self.complaints: list[str] = []
        """What the page's policy or its scripts had to complain of."""
        self._listening = asyncio.ensure_future(self._listen())

    async def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(self._answers[number], LONGEST)

    async def open(self, address: str, width: int = 1200, height: int = 800) -> None:
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.tell(f"{domain}.enable")
        await self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        await self.tell("Page.navigate", url=address)

    async def value(self, script: str) -> Any:
        answer = await self.tell("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return answer["result"].get("value")

    async def press(self, key: str) -> None:
        for kind, text in (("keyDown", key), ("keyUp", "")):
            code = ord(key.upper())
            await self.tell("Input.dispatchKeyEvent", type=kind, key=key, text=text, windowsVirtualKeyCode=code)

    async def picture(self) -> Image.Image:
        shot = await self.tell("Page.captureScreenshot", format="png")
        return Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONGEST
        while not condition():
            assert time.monotonic() < deadline, f"it did not come; the last was {self.said[-400:]!r} {self.complaints}"
            await asyncio.sleep(0.05)

    async def becomes(self, script: str) -> None:
        deadline = time.monotonic() + LONGEST
        while not await self.value(script):
            assert time.monotonic() < deadline, f"{script} did not become true; {self.complaints}"
            await asyncio.sleep(0.1)

    async def _listen(self) -> None:
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told.get("result", {}))
            else:
                self._hear(told["method"], told["params"])

    def _hear(self, method: str, told: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.asked.append(told["request"]["url"])
            case "Network.webSocketCreated":
                self.asked.append(told["url"])
            case "Network.webSocketFrameReceived" if told["response"]["opcode"] == 2:
                self.said += base64.b64decode(told["response"]["payloadData"]).decode("utf-8", "replace")
            case "Log.entryAdded":
                self.complaints.append(told["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))


class Browser:
    def __init__(self, port: int, session: aiohttp.ClientSession) -> None:
        self._port, self._session = port, session

    async def tab(self) -> Tab:
        async with self._session.put(f"http://127.0.0.1:{self._port}/json/new?about:blank") as answer:
            told = await answer.json()
        return Tab(await self._session.ws_connect(told["webSocketDebuggerUrl"], max_msg_size=0))

    async def close(self, tab: Tab) -> None:
        """As a person closes it."""
        await tab.tell("Page.close")


@asynccontextmanager
async def browser(program: str, folder: Path) -> AsyncIterator[Browser]:
    """``folder`` is for what it keeps."""
    command = [program, "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={folder}", "--no-first-run", "--disable-background-networking", "about:blank"]
    if os.geteuid() == 0:
        command.append("--no-sandbox")  # which it cannot have as root
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        async with aiohttp.ClientSession() as session:
            yield Browser(await _port(folder / "DevToolsActivePort"), session)
    finally:
        process.terminate()
        process.wait()


async def _port(file: Path) -> int:
    deadline = time.monotonic() + LONGEST
    while not (file.exists() and file.read_text().strip()):
        assert time.monotonic() < deadline, "the browser did not start"
        await asyncio.sleep(0.05)
    return int(file.read_text().splitlines()[0])

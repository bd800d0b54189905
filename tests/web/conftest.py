"""A real server process, and a client that asks whatever it likes."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeAlias

import psutil
import pytest

from tests.cli.conftest import COMMAND, as_from_a_shell

Environment: TypeAlias = dict[str, str]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str


class Served(NamedTuple):
    process: subprocess.Popen[str]
    address: str
    """As it was printed."""

    @property
    def port(self) -> int:
        return urllib.parse.urlsplit(self.address).port or 0

    def ask(self, path: str, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        told = Answer(answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace"))
        connection.close()
        return told

    def entered(self) -> tuple[str, str]:
        """The path of the page, and the cookie for it."""
        parts = urllib.parse.urlsplit(self.address)
        answer = self.ask(f"{parts.path}?{parts.query}")
        return answer.headers["Location"], answer.headers["Set-Cookie"].partition(";")[0]

    def consoles(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    cleared = {name: value for name, value in os.environ.items() if not name.startswith("TUI_TRAINER_")}
    return {**cleared, "TUI_TRAINER_CACHE": str(tmp_path_factory.mktemp("cache")), "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def serving(environment: Environment, folder: Path, *arguments: str) -> Iterator[Served]:
    command = as_from_a_shell(*COMMAND, "serve", "--port", "0", *arguments)
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Served(process, process.stdout.readline().strip())
        finally:
            process.terminate()


@pytest.fixture
def serve(environment: Environment, tmp_path: Path) -> Callable[..., object]:
    """``with serve("--runs", "runs") as served``."""
    return lambda *arguments: serving(environment, tmp_path, *arguments)

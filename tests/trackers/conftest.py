"""A tracker of the tests' own, which is one more file among the trackers: it writes what it is told as lines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import tui_trainer
from core.run.folder import RunFolder
from tui_trainer import trackers

LINES = '''
"""What it is told, a line each, for the tests."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.run.folder import RunFolder
from tui_trainer.trackers._base import About, Confusion, Ending, Point, Tracker


class Lines(Tracker):
    LIBRARY = "json"
    REPLACES = "LINES_REPLACES" in os.environ

    @classmethod
    def resolved(cls, run: RunFolder, place: str) -> str:
        return place if "://" in place else str(Path(place or run.path / "lines.jsonl").absolute())

    @property
    def hint(self) -> str:
        return f"cat {self.place}"

    def begin(self, known: str, step: int) -> str:
        self._say("begin", known=known, step=step, rewinds=self.rewinds, name=self.about.name, settings=self.about.settings)
        return known or "lines-1"

    def describe(self) -> None:
        if "LINES_ARE_NOT_DESCRIBED" in os.environ and not Path("mended").exists():
            raise OSError(28, "No space left on device")
        self._say("described")

    def scalars(self, points: Sequence[Point]) -> None:
        for point in points:
            if self.place.endswith("hang"):
                time.sleep(1000)
            if point.step >= int(os.environ.get("LINES_FAIL_AT", 1 << 60)) and not Path("mended").exists():
                raise OSError(28, "No space left on device", self.place)
            self._say("point", **point._asdict())

    def confusion(self, found: Confusion) -> None:
        self._say("confusion", **found._asdict())

    def taken_back(self, step: int, time: float) -> None:
        self._say("taken_back", step=step, rewinds=self.rewinds)

    def ended(self, ending: Ending) -> None:
        self._say("ended", **ending._asdict())

    def flush(self) -> None:
        if "LINES_KEEP_NOTHING" in os.environ:
            raise OSError(28, "No space left on device")
        self._say("flush")

    def close(self) -> None:
        self._say("close")

    def _say(self, what: str, **values: Any) -> None:
        with open(os.environ["LINES_TO"] if "://" in self.place else self.place, "a") as file:
            file.write(json.dumps({"what": what, **values}) + "\\n")
'''
Told: TypeAlias = list[dict[str, Any]]


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It is there, in this process."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "lines.py").write_text(LINES)
    monkeypatch.setattr(trackers, "__path__", [*trackers.__path__, str(tmp_path / "more")])
    yield
    sys.modules.pop("tui_trainer.trackers.lines", None)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with that file added to it, for processes of its own."""
    root = tmp_path_factory.mktemp("copied")
    for package in ("core", "tui_trainer"):
        shutil.copytree(Path(tui_trainer.__path__[0]).parent / package, root / package)
    (root / "tui_trainer" / "trackers" / "lines.py").write_text(LINES)
    return root


Command: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(copied: Path, tmp_path: Path) -> Command:
    """``command("log", "demo", "--to", "lines")`` in ``tmp_path``."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "tui_trainer", *arguments], cwd=tmp_path, env=environment(copied) | variables,
            capture_output=True, text=True, check=False, timeout=150,
        )  # fmt: skip

    return run


def environment(copied: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "CI"} | {"PYTHONPATH": str(copied)}


def told(run: RunFolder, *what: str) -> Told:
    """What the tracker has been told, in order, of some kinds alone."""
    lines = [json.loads(line) for line in (run.path / "lines.jsonl").read_text().splitlines()]
    return [line for line in lines if not what or line["what"] in what]


def steps(run: RunFolder, name: str = "train/loss") -> list[int]:
    """Of that scalar's points, in the order of being told."""
    return [line["step"] for line in told(run, "point") if name in line["values"]]


def left(run: RunFolder, name: str = "train/loss", replaces: bool = True) -> list[int]:
    """Of those a tool has in the end that drops what is taken back, and if it ``replaces`` at each beginning too."""
    found = list[int]()
    for line in told(run, "begin", "point", "taken_back"):
        if line["what"] == "point":
            found += [line["step"]] * (name in line["values"])
        elif replaces or line["what"] == "taken_back":
            first = line["step"] + (line["what"] == "taken_back")
            found = [step for step in found if step < first]
    return found

"""Every verb on a world in which everything has a hostile name."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from PIL import Image
from rich.console import Console

from core import checkpoint, recipe
from core import events as e
from core.checkpoint import Manifest
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalReader, JournalWriter
from core.view.fold import fold
from core.view.state import State
from tests.cli.conftest import Say
from tests.core import strategies as runs
from tests.core.hostile import EVIL, NAME, hostile, lets_through
from tests.core.training import tiny
from tui_trainer.live import dashboard
from tui_trainer.plain import PlainLines

LOG = f"before\n{EVIL}\n".encode() + b"\x9b31m\xff\n"
TRAINING = tomli_w.dumps({
    "name": EVIL,
    "description": EVIL,
    "epochs": 1,
    "model": {"name": "resnet", "blocks": [1], "channels": 4, "pool": 8},
    "data": {"size": 8, "validation": 0.5},
})  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Lost; all that its journal, its description, its checkpoint, its inbox and its log say is hostile."""
    run = RunFolder(tmp_path / "runs" / NAME)
    run.create(RunFile(id="a", name=EVIL, created=1000.0, recipe={"name": EVIL}))
    told = [hostile(event) for event in runs.healthy(2)]
    others = [event(time=2000.0) for event in (e.MessageLogged, e.RemarkAdded, e.CommandRejected, e.PhaseStarted)]
    with JournalWriter(run.journal) as journal:
        for event in [*told, *map(hostile, others)]:
            journal.append(event)
    checkpoint.publish(run.checkpoints, Manifest(step=20, epoch=2, run=EVIL, name=EVIL, files={}), {"state.json": b"{}"})
    for place in (run.path / f"bad-{NAME}", run.checkpoints / f".{NAME}.tmp", run.checkpoints / f"bad-{NAME}"):
        place.touch()
    run.log.write_bytes(LOG)
    return run


def check(text: str) -> None:
    assert "evil" in text
    assert lets_through(text) == []


def texts(value: Any) -> Iterator[str]:
    """All that are in a JSON value."""
    match value:
        case str():
            yield value
        case dict():
            yield from texts([*value.keys(), *value.values()])
        case list():
            for item in value:
                yield from texts(item)


@pytest.mark.parametrize("verb", ["runs", "show", "verify", "repair"])
@pytest.mark.parametrize("json_asked", [False, True], ids=["words", "json"])
def test_looking_at_runs(verb: str, json_asked: bool, say: Say, run: RunFolder) -> None:
    told = say(verb, *([] if verb == "runs" else [run.name]), *["--json"] * json_asked)
    check(told.out)
    assert told.err == "" and told.status in (0, 1)
    if json_asked:
        assert any(EVIL in text or NAME in text for text in texts(json.loads(told.out)))  # nothing of it is lost


def test_what_is_made_of_a_run(say: Say, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TERM", "COLORTERM", "NO_COLOR"):
        monkeypatch.setenv(name, "1")  # a picture sets its own, which end with the test
    for arguments in (("report",), ("report", "--markdown"), ("scalars",), ("picture", "--page", "classes")):
        told = say(*arguments, run.name, "-o", "-")
        check(told.out)
        assert (told.status, told.err) == (0, ""), told
    told = say("report", run.name)
    check(told.out)
    assert re.fullmatch(r"evil[\w.+-]*-report\.html\n", told.out) and Path(told.out.removesuffix("\n")).is_file()


def test_a_name_that_is_no_text(say: Say, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "runs" / "evil\udcff")
    run.create(RunFile(name="evil"))
    for arguments in (("runs",), ("runs", "--json"), ("show", run.name), ("show", run.name, "--json")):
        told = say(*arguments)
        check(told.out)
        assert "evil\\udcff" in told.out.replace("\\\\", "\\")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", EVIL), ("verify", EVIL), ("attach", EVIL), ("resume", EVIL), ("pause", EVIL), ("stop", "RUN"),
        ("tell", "RUN", f"{EVIL}=1"), ("tell", "RUN", f"epochs={EVIL}"), ("tell", "RUN", f"remark={EVIL}"), ("train", EVIL),
        ("train", f"{EVIL}.toml"), ("train", "evil.toml"), ("train", "seed", "--set", f"{EVIL}=1"),
        ("train", "seed", "--set", f"epochs='{EVIL}'"), ("train", "seed", "--name", EVIL), ("train", "seed", "--data", EVIL),
        ("train", "seed", "--require", EVIL), ("model", EVIL), ("recipes", EVIL),
        ("data", "get", EVIL), ("evaluate", EVIL), ("evaluate", "RUN"), ("predict", f"{EVIL}.safetensors", EVIL), (EVIL,),
        ("runs", f"--{EVIL}"), ("runs", "--runs", "evil.toml"), ("bench", EVIL),
    ],
    ids=lambda arguments: " ".join(arguments).replace(EVIL, "EVIL"),
)  # fmt: skip
def test_error_lines(arguments: tuple[str, ...], say: Say, run: RunFolder) -> None:
    Path("evil.toml").write_text(tomli_w.dumps({EVIL: 1}))
    told = say(*(run.name if word == "RUN" else word for word in arguments))
    assert told.status == 2 and told.out == ""
    assert len(told.err.splitlines()) == 1
    check(told.err)


def test_recipes(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "one.toml").write_text(TRAINING)
    monkeypatch.setattr(recipe, "_folder", lambda: tmp_path / "mine")
    check(say("recipes").out)
    assert say("recipes", "one").out == TRAINING  # into a file or another program to the byte
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    check(say("recipes", "one").out)


def test_data_and_doctor(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / NAME
    (home / "cifar-10-batches-bin").mkdir(parents=True)
    (home / "cifar-10-batches-bin" / "test_batch.bin").touch()
    monkeypatch.setenv("TUI_TRAINER_DATA", str(home))
    monkeypatch.setenv("TERM_PROGRAM", EVIL)
    for arguments in (("data",), ("data", "--json"), ("doctor",)):
        check(say(*arguments).out)


def test_a_training_and_its_weights(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))
    images = tmp_path / "images"
    for place in (f"{split}/{name}" for split in ("train", "test") for name in (NAME, f"{NAME}2")):
        (images / place).mkdir(parents=True)
        for number in range(4):
            Image.effect_noise((8, 8), 50).convert("RGB").save(images / place / f"{NAME}{number}.png")
    (tmp_path / "mine.toml").write_text(TRAINING)
    Path("runs").mkdir()
    told = say("train", "mine.toml", "--data", str(images), "--name", "real", "--threads", "1", "--json")
    assert told.status == 0, told
    check(told.out)
    assert any(NAME in text for line in told.out.splitlines() for text in texts(json.loads(line)))
    picture = str(next((images / "test" / NAME).iterdir()))
    for arguments in (
        ("evaluate", "real"),
        ("predict", "real", picture),
        ("predict", "real", picture, "--json"),
        ("export", "real", "--to", "net.safetensors", "--json"),
        ("show", "real"),
    ):
        told = say(*arguments)
        check(told.out)
        assert told.status == 0 and lets_through(told.err) == []
    assert lets_through(Path("README.md").read_text("utf-8")) == []
    check(plain(RunFolder(Path("runs/real"))))


def plain(run: RunFolder) -> str:
    """What ``train`` would have said without ``--json``."""
    stream, reader = io.StringIO(), JournalReader(run.journal)
    lines = PlainLines(run, State(), stream)
    while not reader.at_end:
        lines.feed(reader.read_lines())
        lines.tick()
    lines.end(lines.state)
    return stream.getvalue()


@pytest.mark.parametrize("height", [12, 60])
def test_the_live_display(height: int) -> None:
    told = [hostile(event) for event in runs.healthy(2)]
    phase = e.PhaseStarted(phase=EVIL, label=EVIL, total=3, unit=EVIL, time=2000.0)
    for events in ([], told, [*told, e.RunPaused(reason=EVIL)], [*told, phase]):
        state = fold(State(name=EVIL), events)
        console = Console(file=io.StringIO(), width=200, height=height)
        with console.capture() as capture:
            console.print(dashboard(state, state.last_time, 200, height))
        check(capture.get())


def test_the_worlds_names_are_as_bad_as_they_are_meant_to_be() -> None:
    assert len(lets_through(EVIL)) > 15
    assert tiny().name not in EVIL

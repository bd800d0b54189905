"""``predict`` of files, folders and lists, in a pipe and on a terminal."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from core.errors import UserError
from core.predicted import Prediction, Seen
from tests.cli.conftest import COMMAND, Say
from tests.cli.test_pipes import image, weights
from tests.core.hostile import NAME, lets_through
from tests.tui.terminal import Terminal
from tui_trainer.cli import predict as predicting
from tui_trainer.cli.pictured import Pictured


@pytest.fixture
def predict(say: Say, tmp_path: Path) -> Say:
    """From a folder with weights and images."""
    Path("model.safetensors").write_bytes(weights())
    for name in ("one.png", "photos/two.png", "photos/deep/three.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image())

    return partial(say, "predict", "model.safetensors")


def test_files_and_what_lies_below_folders(predict: Say) -> None:
    told = predict("one.png", "photos", "--top", "1")
    assert told.status == 0 and told.err == ""
    assert [line.partition(": ")[0] for line in told.out.splitlines()] == ["one.png", "photos/deep/three.png", "photos/two.png"]
    assert all(line.endswith("%") and line.count("%") == 1 for line in told.out.splitlines())


def test_json_is_an_object_a_line(predict: Say) -> None:
    told = predict("photos", "--json")
    found = [json.loads(line) for line in told.out.splitlines()]
    assert [item["path"] for item in found] == ["photos/deep/three.png", "photos/two.png"]
    for item in found:
        assert set(item) == {"path", "class", "probability", "top"} and set(item["top"]) == {"ant", "bee"}
        assert item["probability"] == item["top"][item["class"]] == max(item["top"].values())


@pytest.mark.parametrize(("end", "options"), [(b"\n", ()), (b"\0", ("--null",)), (b"\0", ("-0",))])
@pytest.mark.parametrize("last", [True, False])
def test_a_list_on_the_standard_input(end: bytes, options: tuple[str, ...], last: bool, predict: Say) -> None:
    listed = end.join([b"one.png", b"", b"photos/two.png"]) + end * last
    told = predict(*options, "-", standard_input=listed)
    assert told.status == 0
    assert [line.partition(": ")[0] for line in told.out.splitlines()] == ["one.png", "photos/two.png"]


def test_one_that_cannot_be_read_is_a_line_and_the_rest_goes_on(predict: Say) -> None:
    Path("photos", f"a {NAME}.png").write_bytes(b"\x89PNG")
    told = predict("photos", "none.png", "one.png")
    assert told.status == 1 and len(told.out.splitlines()) == 3
    bad, none = told.err.splitlines()
    assert bad.startswith("tui-trainer: ") and "cannot be decoded" in bad and lets_through(told.err) == []
    assert none == "tui-trainer: 'none.png': no such file"


def far_below(folder: Path) -> None:
    """Folders in each other until their path is longer than a system takes, so that not even root can list them all."""
    folder.mkdir()
    place = os.open(folder, os.O_RDONLY)
    for _ in range(17):
        os.mkdir("d" * 250, dir_fd=place)
        place, above = os.open("d" * 250, os.O_RDONLY, dir_fd=place), place
        os.close(above)
    os.close(place)


def test_a_folder_that_cannot_be_listed_is_a_line_and_those_beside_it_go_on(predict: Say) -> None:
    far_below(Path("photos", "far"))
    told = predict("photos", "one.png")
    assert [line.partition(": ")[0] for line in told.out.splitlines()] == ["photos/deep/three.png", "photos/two.png", "one.png"]
    (line,) = told.err.splitlines()
    assert told.status == 1 and line.startswith("tui-trainer: 'photos/far/ddd")
    alone = predict("photos/far")
    assert alone.status == 2 and alone.err == line + "\n"


def test_a_list_names_no_pipe_that_would_be_waited_for(predict: Say) -> None:
    os.mkfifo("pipe.png")
    told = predict("-", standard_input=b"pipe.png\none.png")
    assert told.status == 1 and "'pipe.png': cannot be read (not a plain file)" in told.err
    assert told.out.startswith("one.png: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.png",), "'none.png': no such file"),
        (("empty",), "'empty': no images are in it, nor below it (.bmp .jpeg .jpg .png .webp)"),
        (("-",), "no image was given"),
        (("one.png", "-0"), "--null: there is no list"),
        (("one.png", "--batch", "0"), "--batch"),
    ],
)
def test_where_there_is_nothing_to_say(arguments: tuple[str, ...], words: str, predict: Say) -> None:
    Path("empty").mkdir()
    told = predict(*arguments)
    assert told.status == 2 and told.out == "" and words in told.err and len(told.err.splitlines()) == 1


def test_a_list_without_an_end_is_no_list(predict: Say) -> None:
    told = predict("-", standard_input=b"a" * 200_000)
    assert told.status == 2 and "no path is as long as 65,536 bytes; expected one path a line" in told.err


def test_a_reader_that_has_seen_enough_ends_it(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "model.safetensors").write_bytes(weights())
    (tmp_path / "one.png").write_bytes(image())
    command = " ".join([*COMMAND, "predict", "model.safetensors", "--batch", "1", "-"])
    script = f"yes one.png | {command} | head -1; echo ${{PIPESTATUS[1]}}"
    process = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    first, status = process.stdout.splitlines()
    assert first.startswith("one.png: ") and status == "141" and process.stderr == ""


def test_what_ends_it_begins_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def seen() -> Iterator[Seen]:
        yield Seen(Prediction("one.png", "bee", 0.75, {"bee": 0.75}), None)
        raise UserError("the list ends here")

    reading, writing = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with os.fdopen(writing, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with pytest.raises(UserError, match="the list ends here"):
            predicting._told(seen(), lambda item: None)
        terminal.flush()
        written = os.read(reading, 1000)
    os.close(reading)
    assert b"predict 1 images" in written and written.endswith(b"\r\x1b[K")


def test_on_a_terminal_each_has_its_picture(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "model.safetensors").write_bytes(weights())
    (tmp_path / "one.png").write_bytes(image())
    command = [*COMMAND, "predict", str(tmp_path / "model.safetensors"), str(tmp_path / "one.png")]
    with Terminal(command, 100, 30, environment) as terminal:
        terminal.seen(b"bee")
        assert terminal._program.wait(60) == 0
        written = b"".join(data for _, data in terminal.written).decode()
    rows = [line for line in written.splitlines() if line.count("▀") == 16]
    assert len(rows) == 8 and written.count("\x1b[38;2;") > 50


def test_a_picture_without_colours_and_with_hostile_names() -> None:
    console = Console(file=io.StringIO(), width=60, color_system=None, force_terminal=True)
    pixels = np.zeros((1, 8, 8), np.uint8)
    pixels[:, :, 4:] = 255
    said = Prediction(NAME, NAME, 0.75, {NAME: 0.75, "bee": 0.25})
    Pictured([NAME, "bee", "x" * 99], console)(Seen(said, pixels))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert lets_through(text) == [] and all(cell_len(line) <= 60 for line in text.splitlines())
    dark, light = text.splitlines()[0][:8], text.splitlines()[0][8:16]
    assert dark.strip() == "" and len(set(light)) == 1 and light.strip()
    assert "   75.00 %  evil" in text and "   25.00 %  bee" in text

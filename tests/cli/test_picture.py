"""``picture`` as its users meet it: the console drawn without a terminal."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.errors import UserError
from core.run.folder import RunFolder
from tests.cli.conftest import Cli, one_line
from tests.tui import runs as made
from tests.tui.pictured import with_pictures
from tui_trainer.cli.picture import picture


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    (tmp_path / "runs").mkdir()
    return with_pictures(tmp_path / "runs", made.early_stopped())


def words_of(svg: str) -> str:
    """What stands in it, once it is known for one that asks nothing of the outside."""
    asks = [place for place in re.findall(r"url\(([^)]*)\)|href|@import|@font-face|<script", svg) if not place.startswith("#")]
    assert asks == []
    return " ".join("".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ").split())


def test_a_page_whatever_the_terminal(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    process = cli("picture", "demo", cwd=tmp_path, env={"NO_COLOR": "1", "TERM": "dumb", "COLORTERM": ""})
    assert (process.returncode, process.stdout, process.stderr) == (0, "demo-overview.svg\n", "")
    svg = (tmp_path / "demo-overview.svg").read_text("utf-8")
    assert "early stop" in words_of(svg) and "airplane" in words_of(svg)
    assert "fill: #5fb3f0" in svg and not re.search("[\u2801-\u28ff]", svg)  # in colour, and curves need no font
    assert "exists already" in one_line(cli("picture", "demo", cwd=tmp_path))


def test_a_panel_alone_as_text(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    options = ("--page", "plots", "--panel", "accuracy %", "--size", "80x24", "-o", "x.txt")
    assert cli("picture", "demo", *options, cwd=tmp_path).returncode == 0
    lines = (tmp_path / "x.txt").read_text("utf-8").splitlines()
    assert len(lines) == 24 and all(len(line) <= 80 for line in lines)
    assert "accuracy %" in lines[2] and "loss" not in "".join(lines) and re.search("[\u2801-\u28ff]", "".join(lines))


def test_the_layers_are_waited_for(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    cli("picture", "demo", "--page", "details", "--panel", "model", "-o", "m.txt", cwd=tmp_path)
    assert "asking torch" not in (tmp_path / "m.txt").read_text("utf-8")


@pytest.mark.skipif(find_spec("cairosvg") is None, reason="an optional package")
def test_pixels_in_another_theme(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    options = ("--page", "pictures", "--theme", "trainer-light", "--size", "60x16", "-o", "x.png")
    assert cli("picture", "last", *options, cwd=tmp_path).returncode == 0
    image = Image.open(tmp_path / "x.png").convert("RGB")
    colours = {colour: number for number, colour in image.getcolors(maxcolors=1 << 20) or []}
    assert max(colours, key=lambda colour: colours[colour]) in ((0xFB, 0xFB, 0xF9), (0xF3, 0xF3, 0xEF))
    assert image.width > 2 * 60 * 12 and len(colours) > 100  # the pictures were waited for


def test_png_without_its_package(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "cairosvg.py").write_text("raise ImportError")
    line = one_line(cli("picture", "demo", "-o", "x.png", cwd=tmp_path, env={"PYTHONPATH": f"{tmp_path}:{':'.join(sys.path)}"}))
    assert "pip install 'tui-trainer[png]'" in line and not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"page": "plotz"}, "--page 'plotz': not known; did you mean 'plots'?"),
        ({"theme": "x"}, "--theme 'x': not known; there are: trainer-dark, trainer-light"),
        ({"size": "80"}, "expected columns and rows"),
        ({"size": "10x10"}, "expected 60x16 to 400x150"),
        ({"output": Path("x.jpg")}, "x.jpg: expected a name that ends in .svg, .png, .txt"),
    ],
)
def test_wrong_use_is_said(run: RunFolder, tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=re.escape(words)):
        picture("demo", runs=run.path.parent, **options)


def test_a_panel_that_there_is_not(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    line = one_line(cli("picture", "demo", "--panel", "nosuch", "--size", "60x16", cwd=tmp_path))
    assert "--panel 'nosuch': not on this page; there are: loss, accuracy %" in line
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]

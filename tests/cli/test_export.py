"""``export`` as its users meet it: files, card, mistakes in one line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from PIL import Image

import core
from core import data
from core.sections import Data
from tests.cli.conftest import Cli, one_line
from tests.core.training import new_run, tiny, train

PICTURE = 123
"""Of the sample's test images."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a run."""
    place = tmp_path_factory.mktemp("trained")
    train(new_run(place / "runs" / "small", tiny(epochs=1, precision="fp32")))
    return place


@pytest.fixture(scope="module")
def exported(runs: Path, cli: Cli) -> dict[str, Any]:
    """What ``--json`` tells of a model in two forms, with a card."""
    (runs / "out").mkdir()
    options = ("--to", "out/net.pt2", "--to", "out/model.safetensors", "--license", "cc-by-4.0", "--threads", "1", "--json")
    process = cli("export", "small", *options, cwd=runs)
    assert process.returncode == 0, process.stderr
    told: dict[str, Any] = json.loads(process.stdout)
    return told


def card(folder: Path) -> str:
    return (folder / "out" / "README.md").read_text("utf-8")


def test_it_tells_what_was_written_and_how_it_compares(exported: dict[str, Any], runs: Path) -> None:
    assert sorted(path.name for path in (runs / "out").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "net.pt2",
    ]
    known = core.evaluate(next((runs / "runs" / "small" / "checkpoints").glob("step-00000005/model.safetensors")), threads=1)
    assert exported["evaluation"]["accuracy"] == exported["facts"]["accuracy"] == known.accuracy
    assert [file["path"] for file in exported["files"]] == ["out/net.pt2", "out/model.safetensors"]
    for file in exported["files"]:
        assert file["images"] == known.images == 70 and file["largest_difference"] <= file["tolerance"]
    assert exported["card"] == "out/README.md" and exported["facts"]["name"] == "small"


def test_the_card_has_recipe_accuracy_by_class_data_and_licence(exported: dict[str, Any], runs: Path) -> None:
    text = card(runs)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    assert [token.content for token in tokens if token.type == "html_block"] == []
    by_class = [token.content for token in tokens if token.type == "inline" and re.fullmatch(r"\d+ of 7", token.content)]
    assert len(by_class) == 10 and sum(int(words.split()[0]) for words in by_class) == round(70 * exported["facts"]["accuracy"])
    recipe = next(token.content for token in tokens if token.type == "fence" and token.info == "toml")
    (runs / "card.toml").write_text(recipe)
    assert core.load(runs / "card.toml") == tiny(epochs=1, precision="fp32")
    assert 'license: "cc-by-4.0"' in text and "is cc-by-4.0" in text and "state no licence" in text
    assert f"value: {exported['facts']['accuracy']!r}" in text


def test_the_programs_of_the_card_say_what_predict_says(
    exported: dict[str, Any], runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also of a picture of another size, brought to the network's as the card says."""
    pixels = data.load(Data(source="sample")).test.pixels[PICTURE]
    Image.fromarray(pixels.transpose(1, 2, 0)).resize((80, 60)).save(runs / "out" / "image.png")
    (known,) = core.predict(runs / "out" / "model.safetensors", [runs / "out" / "image.png"])
    monkeypatch.chdir(runs / "out")
    programs = re.findall(r"```python\n(.*?)```", card(runs), re.DOTALL)
    assert len(programs) == 2
    for program in programs:
        exec(program, {})
        assert capsys.readouterr().out == f"{known.class_}\n"


def test_a_file_alone_is_exported_without_images_too_and_a_readme_stays(runs: Path, cli: Cli, tmp_path: Path) -> None:
    weights = tmp_path / "small.safetensors"
    shutil.copy(sorted((runs / "runs" / "small" / "checkpoints").glob("step-*/model.safetensors"))[-1], weights)
    (tmp_path / "README.md").write_text("mine")
    process = cli("export", weights.name, "--to", "net.safetensors", "--threads", "1", "--synthetic", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert "verified on 1,000 generated images" in process.stdout and "the accuracy was not measured" in process.stdout
    assert max(map(len, process.stdout.splitlines()[:-1])) < 80
    assert "README.md is there already, and stays as it is" in process.stdout
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("small",), "Missing option '--to'"),
        (("small", "--to", "net.onx"), "did you mean 'onnx'"),
        (("nosuch", "--to", "net.pt2"), "run 'nosuch' not found"),
        (("nosuch.safetensors", "--to", "net.pt2"), "no such file"),
        (("small", "--to", "net.pt2", "--checkpoint", "step-7"), "no checkpoint 'step-7'"),
        (("small", "--to", "net.pt2", "--license", "All rights!"), "expected an identifier such as mit"),
        (("small", "--to", "net.pt2", "--synthetic", "--data", "sample"), "exclude each other"),
        (("small", "--to", "net.pt2", "--to", "out/net.safetensors"), "one folder for all of them"),
        (("small", "--to", "runs"), "expected a name that ends in"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], words: str, runs: Path, cli: Cli) -> None:
    before = sorted(runs.iterdir())
    assert words in one_line(cli("export", *arguments, cwd=runs))
    assert sorted(runs.iterdir()) == before


def test_a_card_that_is_there_is_written_over_only_when_both_is_asked_for(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    line = one_line(cli("export", "small", "--to", "net.pt2", "--card", cwd=tmp_path))
    assert line.endswith("README.md: exists already; leave out --card, or write over it with --card --force")

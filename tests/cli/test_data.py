"""``data``, and a training on a folder of pictures that nobody prepared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.cli.conftest import SMALL, Cli


def pictures(root: Path) -> Path:
    """Of three classes that are easy to tell apart, one of them rarer, all of an odd size."""
    for number, name in enumerate(("dark", "grey", "\x1b[31mlight")):
        (root / name).mkdir(parents=True)
        for place in range(20 if number else 30):
            level = np.uint8(20 + 100 * number + place)
            Image.fromarray(np.full((17, 23), level)).save(root / name / f"{place:02}.png")
    return root


def test_all_sources_are_listed(cli: Cli, tmp_path: Path) -> None:
    found = cli("data", cwd=tmp_path)
    assert found.returncode == 0 and not found.stderr
    assert "torchvision:NAME  -" in found.stdout and "fashion_mnist, " in found.stdout and "sample" in found.stdout
    listed = json.loads(cli("data", "--json", cwd=tmp_path).stdout)
    assert listed["sample"]["ready"] and not listed["torchvision:mnist"]["ready"]
    assert listed["torchvision:mnist"]["hint"].endswith("tui-trainer data get torchvision:mnist")


def test_what_a_folder_holds_is_shown(cli: Cli, tmp_path: Path) -> None:
    pictures(tmp_path / "mine")
    shown = cli("data", "show", "mine", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert ["CLASS", "TRAIN", "TEST"] in rows and ["dark", "27", "3"] in rows and ["all", "63", "7"] in rows
    assert r"\x1b[31mlight" in shown.stdout and "\x1b" not in shown.stdout
    assert "1 channel of 32x32 pixels" in shown.stdout
    assert "no test split: every tenth image of each class is kept for test" in shown.stdout
    found = json.loads(cli("data", "show", "mine", "--json", cwd=tmp_path).stdout)
    assert found["images"]["test"]["dark"] == 3 and found["size"] == 32


def test_what_is_not_there_is_one_line(cli: Cli, tmp_path: Path) -> None:
    for arguments, words in (
        (("show", "torchvision:mnist"), "fetched by torchvision when training starts, or now with"),
        (("show", "nowhere"), "neither a source nor an existing path"),
        (("get", "torchvision:mnits"), "torchvision has no 'mnits' (did you mean 'mnist'?)"),
        (("get", "arrays"), "nothing to fetch"),
    ):
        found = cli("data", *arguments, cwd=tmp_path)
        assert found.returncode == 2 and words in found.stderr and found.stderr.count("\n") == 1


def test_a_folder_of_classes_is_trained_on_by_its_path_alone(cli: Cli, tmp_path: Path) -> None:
    pictures(tmp_path / "mine")
    small = [word for word in SMALL if word not in ("--set", "data.limit=40")]
    required = ["--require", "test.balanced_accuracy>=0.3", "--set", "data.class_weights=balanced"]
    found = cli("train", "quickstart", "--data", "mine", "--epochs", "2", *small, *required, cwd=tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "no test split: every tenth image of each class is kept for test" in found.stdout
    assert "images of about 17 pixels are brought to 32, as data.size is left out" in found.stdout
    assert "balanced_accuracy" in found.stdout and "test: accuracy" in found.stdout

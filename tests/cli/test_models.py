"""Networks from elsewhere at the command line: by name, from weights that are there; mistakes are one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL, Cli

NETS = """
from torch import nn

print("a word of their own")


def build(classes, channels=3, width=8):
    first = nn.Conv2d(channels, width, 3)
    return nn.Sequential(first, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))
"""
OWN = "python:nets:build"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a module, and a run whose network it is."""
    place = tmp_path_factory.mktemp("theirs")
    (place / "nets.py").write_text(NETS)
    return place


@pytest.fixture(scope="module")
def weights(folder: Path, cli: Cli) -> Path:
    """Of a run of their own network, away from it."""
    given = ("--model", OWN, "--set", "model.width=12", "--epochs", "1", "--name", "own")
    process = cli("train", "quickstart", *given, *SMALL, cwd=folder)
    assert process.returncode == 0, process.stderr
    shutil.copy(
        sorted((folder / "runs" / "own" / "checkpoints").glob("step-*/model.safetensors"))[-1], folder / "away.safetensors"
    )
    return folder / "away.safetensors"


@pytest.mark.torture
def test_a_network_of_a_library_or_of_ones_own_is_shown_by_its_name(cli: Cli, folder: Path) -> None:
    shown = json.loads(cli("model", OWN, "--set", "model.width=4", "--json", cwd=folder).stdout)
    assert [layer["kind"] for layer in shown["layers"]] == ["Conv2d", "ReLU", "AdaptiveAvgPool2d", "Flatten", "Linear"]
    text = cli(
        "model", "seed", "--model", "torchvision:squeezenet1_1", "--set", 'finetune.frozen=["features"]', cwd=folder
    ).stdout
    assert "features.0" in text and "frozen" in text and "5,130 parameters that train, 722,496 frozen" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "quickstart", "--weights", "none.safetensors"), "no such file"),
        (("resume", "own", "--epochs", "2", "--model", "python:nets:other"), "the model of this run is python:nets:build"),
        (("evaluate", "away.safetensors"), f"runs only where you have named it yourself; if you know it, add: --model {OWN}"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    cli: Cli, folder: Path, weights: Path, arguments: tuple[str, ...], words: str
) -> None:
    process = cli(*arguments, cwd=folder)
    assert process.returncode == 2 and words in process.stderr.splitlines()[-1] and "Traceback" not in process.stderr
    assert [path.name for path in (folder / "runs").iterdir()] == ["own"]


def test_ones_own_run_is_measured_from_anywhere(cli: Cli, folder: Path, weights: Path, tmp_path: Path) -> None:
    own = str(folder / "runs" / "own")
    found = cli("evaluate", own, "--json", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    named = cli("evaluate", "away.safetensors", "--model", OWN, "--json", cwd=folder)
    assert json.loads(named.stdout)["accuracy"] == json.loads(found.stdout)["accuracy"]


@pytest.mark.torture
def test_a_training_begins_from_a_runs_weights(cli: Cli, folder: Path, weights: Path) -> None:
    given = ("--model", OWN, "--set", "model.width=12", "--weights", "own", "--epochs", "1", "--name", "tuned")
    process = cli("train", "quickstart", *given, *SMALL, cwd=folder)
    assert process.returncode == 0, process.stderr
    (told,) = [line for line in process.stdout.splitlines() if "begins from" in line]
    assert "/own/checkpoints/step-" in told and told.endswith("model.safetensors: 4 of 4 tensors")
    shutil.rmtree(folder / "runs" / "tuned")

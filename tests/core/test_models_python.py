"""A network of the user's own: found in their folder, given what it takes, run only where they have named it; errors with file
and line."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import core
from core import data, models
from core.checkpoint import WEIGHTS
from core.errors import UserError
from core.events import RunFinished
from core.models import Inputs
from core.recipe import Recipe, to_table
from core.run import code, session
from core.run.describe import describe
from core.run.folder import RunFile, RunFolder
from core.run.journal import find
from core.run.seal import KEY
from core.training import setup as setups
from core.training.progress import Progress
from core.training.snapshot import Snapshot
from tests.core.training import tiny

NAME = "python:their_nets:build"
SOURCE = '''
import random

import torch
from torch import nn

Path = "not a function"
print("printed by their own code")


class Tied(nn.Module):
    """Two layers with one weight, one that has no part in the result, one whose shape is learned, and draws of all kinds."""

    def __init__(self, classes, size, width=6):
        super().__init__()
        self.first = nn.LazyLinear(width)
        self.one, self.two = nn.Linear(width, width), nn.Linear(width, width)
        self.two.weight = self.one.weight
        self.idle = nn.Linear(3, 3)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = torch.relu(self.two(torch.relu(self.one(self.first(x.flatten(1))))))
        if self.training:
            x = nn.functional.dropout(x, 0.3) * (1 + 0.1 * random.random())
        return self.head(x)


def build(classes, channels=3, width=8):
    return nn.Sequential(nn.Conv2d(channels, width, 3), nn.Flatten(), nn.LazyLinear(classes))


def needs(classes, depth):
    return build(classes)


def a_list(classes):
    return [build(classes)]


def nothing(classes):
    build(classes)


def ten():
    return build(10)


def pair(classes):
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = build(classes)

        def forward(self, x):
            return (self.body(x), x) if self.training else self.body(x)

    return Pair()


def empty():
    return nn.Identity()


class Keeping(nn.Linear):
    def __init__(self, classes):
        super().__init__(3, classes)

    def get_extra_state(self):
        return {"kept": 3}


def failing(classes):
    raise ValueError("not today")


def failing_later(classes):
    class Failing(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x @ torch.zeros(5, 5)

    return Failing()


def leaving():
    raise SystemExit(7)
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's, with modules of theirs; nothing of it stays in this process."""
    place = tmp_path / "theirs"
    place.mkdir()
    (place / "their_nets.py").write_text(SOURCE)
    (place / "their_broken.py").write_text("x = 1\ny = = 2\n")
    (place / "their_missing.py").write_text("import no_such_thing_at_all\n")
    (place / "msgspec.py").write_text("def build(): ...\n")
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield place
    for name in set(sys.modules) - before:
        if name.startswith("their_"):
            del sys.modules[name]


def at(target: str, **keys: object) -> dict[str, object]:
    return {"name": f"python:{target}", **keys}


def line_of(text: str) -> int:
    """The first that begins so."""
    return next(number for number, line in enumerate(SOURCE.splitlines(), 1) if line.strip().startswith(text))


def test_it_is_given_what_it_takes(folder: Path) -> None:
    network = models.build(at("their_nets:build", width=4), Inputs(5, 1, 16), folder)
    assert [tuple(each.shape) for each in network.parameters()] == [(4, 1, 3, 3), (4,), (5, 784), (5,)]
    tied = models.build(at("their_nets:Tied"), Inputs(3, 3, 8), folder)
    assert tied.train()(torch.rand(2, 3, 8, 8)).shape == (2, 3)


def test_the_folder_comes_last_on_the_path(folder: Path) -> None:
    models.build(at("their_nets:build"), Inputs(5), folder)
    assert sys.path[-1] == str(folder) and sys.path.count(str(folder)) == 1


@pytest.mark.parametrize(
    ("target", "keys", "words"),
    [
        ("their_nets", {}, "expected python:package.module:function"),
        ("their_nets:build:x", {}, "expected python:package.module:function"),
        ("their nets:build", {}, "expected python:package.module:function"),
        ("shutil:rmtree", {"path": "/nowhere"}, "'shutil' is Python's own"),
        ("core.recipe:load", {}, r"'core' is tui-trainer's own"),
        ("msgspec:build", {}, r"'msgspec' is also installed \(.*\), and comes first"),
        ("their_net:build", {}, r"there is no module 'their_net' in .*theirs, nor is one installed"),
        ("their_nets.sub:build", {}, r"there is no module 'their_nets.sub'|cannot be imported: ModuleNotFoundError"),
        (
            "their_missing:build",
            {},
            r"cannot be imported: ModuleNotFoundError: .*no_such_thing.* \(their_missing\.py, line 1\)$",
        ),
        ("their_broken:build", {}, r"cannot be imported: SyntaxError: .* \(their_broken\.py, line 2\)$"),
        ("their_nets:biuld", {}, r"no function or class 'biuld' in their_nets \(did you mean 'build'\?\)"),
        ("their_nets:Path", {}, "no function or class 'Path'"),
        (
            "their_nets:build",
            {"wdith": 3},
            r"model\.wdith: python:their_nets:build takes no such key \(did you mean 'width'\?\)",
        ),
        ("their_nets:build", {"classes": 3}, r"model\.classes: comes from the data"),
        ("their_nets:needs", {}, r"model\.depth: python:their_nets:needs needs it, and the recipe does not say it"),
        ("their_nets:a_list", {}, "gave a list, expected an nn.Module"),
        ("their_nets:nothing", {}, r"gave nothing \(does it return the network\?\)"),
        ("their_nets:ten", {}, r"gives \[2, 10\] in training for 2 images of 5 classes; expected logits \[2, 5\]"),
        ("their_nets:pair", {}, r"gives a tuple in training"),
        ("their_nets:empty", {}, "has no parameters"),
        ("their_nets:Keeping", {}, r"keeps a dict as '_extra_state' \(get_extra_state\)"),
        ("their_nets:failing", {}, rf"failed: ValueError: not today \(their_nets\.py, line {line_of('raise')}\)$"),
        ("their_nets:failing_later", {}, rf"fails on .* RuntimeError: .* \(their_nets\.py, line {line_of('return x @')}\)$"),
        ("their_nets:leaving", {}, "failed: SystemExit: 7"),
    ],
)
def test_what_is_wrong_is_one_line(folder: Path, target: str, keys: dict[str, object], words: str) -> None:
    with pytest.raises(UserError) as caught:
        models.sketch(at(target, **keys), Inputs(5, 3, 16), folder)
    assert re.search(words, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("model.")


@pytest.mark.torture
def test_a_description_is_not_disturbed_by_what_it_prints_and_not_kept(folder: Path) -> None:
    recipe = tiny(model={"name": NAME})
    assert describe(recipe, Inputs(10), folder).layers[0].kind == "Conv2d"
    (folder / "their_nets.py").write_text(SOURCE.replace("nn.Conv2d(channels, width, 3)", "nn.Conv2d(channels, width, 5)"))
    assert describe(recipe, Inputs(10), folder).layers[0].output == (8, 28, 28)


# Who may run it


def own(**changes: object) -> Recipe:
    return tiny(model=at("their_nets:Tied"), epochs=1, **changes)


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> RunFolder:
    """Of this user's, not begun yet."""
    made = RunFolder(tmp_path / "runs" / "mine")
    made.create(RunFile(id="1" * 16, name="mine", recipe=to_table(own()), threads=1))
    code.permit(made, folder)
    return made


def refused(run: RunFolder) -> bool:
    return session.start(run).wait(60) == 2 and "runs only where you have named it yourself" in run.log.read_text()


@pytest.mark.torture
def test_a_run_of_ones_own_begins_and_goes_on_from_any_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = session.create(own(), tmp_path / "runs", "mine", 1, folder)
    assert session.start(run).wait(60) == 0, run.log.read_text()
    assert session.start(run, epochs=2).wait(60) == 0, run.log.read_text()
    assert len(find(run.journal, RunFinished)) == 2
    copied = RunFolder(tmp_path / "copy")
    shutil.copytree(run.path, copied.path)
    assert code.permitted(copied) == code.permitted(run) is not None


def other_model(run: RunFolder) -> None:
    described = json.loads(run.run_file.read_bytes())
    described["recipe"]["model"] = at("their_nets:leaving")
    run.run_file.write_text(json.dumps(described))


def other_folder(run: RunFolder) -> None:
    given = json.loads((run.path / code.NAME).read_bytes())
    (run.path / code.NAME).write_text(json.dumps({**given, "folder": str(run.path)}))


def other_run(run: RunFolder) -> None:
    described = json.loads(run.run_file.read_bytes())
    run.run_file.write_text(json.dumps({**described, "id": "2" * 16}))


def no_seal(run: RunFolder) -> None:
    (run.path / code.NAME).unlink()


def no_words(run: RunFolder) -> None:
    (run.path / code.NAME).write_text('{"folder": "/", "seal": "zz"}')


def other_user(run: RunFolder) -> None:
    (run.path.parent.parent / "cache" / "view.key").write_bytes(bytes(KEY))


@pytest.mark.parametrize("change", [other_model, other_folder, other_run, no_seal, no_words, other_user])
def test_a_run_that_somebody_else_made_or_changed_runs_none(run: RunFolder, folder: Path, change: object) -> None:
    assert callable(change) and code.permitted(run) == folder
    change(run)
    assert code.permitted(run) is None


def test_a_foreign_run_is_refused_until_its_model_is_named_again(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = RunFolder(tmp_path / "foreign")
    foreign.create(RunFile(id="2" * 16, name="foreign", recipe=to_table(own()), threads=1))
    monkeypatch.chdir(folder)
    assert refused(foreign)
    with pytest.raises(UserError, match="the model of this run is python:their_nets:Tied, and a resume cannot change it"):
        session.start(foreign, model=NAME)
    assert session.start(foreign, model="python:their_nets:Tied").wait(60) == 0, foreign.log.read_text()
    assert code.permitted(foreign) == folder


def test_weights_run_no_code_unless_it_is_named(tmp_path: Path, folder: Path) -> None:
    setup = setups.prepare(own(), 1, data.silent, code=folder)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(Snapshot(setup.network, setup.optimizer, Progress()).files(setup.world, setup.metadata())[WEIGHTS])
    with pytest.raises(UserError, match=r"runs only where you have named it yourself; if you know it, add: --model python:"):
        core.evaluate(weights)
    with pytest.raises(UserError, match="is python:their_nets:Tied; leave it out, or name that"):
        core.evaluate(weights, model=NAME, code=folder)
    assert core.evaluate(weights, threads=1, model="python:their_nets:Tied", code=folder).images == 70

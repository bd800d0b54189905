"""What is said of a run before it is begun: its network, the room it takes, and the time by what earlier runs took."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core import checkpoint, models, recipe
from core.recipe import Recipe
from core.run import describe
from core.run.folder import RunFile, RunFolder
from core.view.readings import format_bytes
from tests.core.training import new_run, tiny, train
from tests.tui import runs as made
from tui_trainer import forecast, recipe_keys
from tui_trainer.forecast import words
from tui_trainer.listing import Listing

QUICK = recipe.load("quickstart", ["batch_size=100", "model.name=resnet", "data.source=cifar10"])


def trained(runs: Path, name: str, of: Recipe) -> RunFolder:
    """14 epochs of 45,000 images in windows of 6.6 s each thousand."""
    run = made.make(runs, name, made.early_stopped())
    run.run_file.write_bytes(msgspec.json.encode(RunFile(name=name, recipe=recipe.to_table(of))))
    return run


def found(runs: Path, chosen: Recipe) -> forecast.Forecast:
    return forecast.forecast(chosen, runs, Listing(runs).scan(math.inf))


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "describe", lambda recipe, inputs, code: describe.Description(4_257_260, 478_000_000))


def test_the_time_is_that_of_an_earlier_run_of_the_same(runs: Path) -> None:
    trained(runs, "first", QUICK)
    told = found(runs, msgspec.structs.replace(QUICK, epochs=10))
    assert told.pace and told.pace.run == "first" and told.pace.images_per_second == pytest.approx(1000 / 6.6)
    assert told.seconds == pytest.approx(10 * (45_000 * 6.6 / 1000 + 8) + 8)
    assert words(told)[1] == "time: about 50 min 58 s at 152 images/s, as first trained"


@pytest.mark.parametrize("change", ["batch_size=50", "data.limit=9", "device=mps", "precision=fp32", "model.name=preact"])
def test_a_run_of_something_else_tells_nothing(runs: Path, change: str) -> None:
    trained(runs, "first", QUICK)
    told = found(runs, recipe.changed(QUICK, [change]))
    assert told.pace is None and "no run of it here yet" in words(told)[1]


def test_a_run_that_has_not_trained_yet_or_cannot_be_read_tells_nothing(runs: Path) -> None:
    made.make(runs, "new", [made.started()])
    trained(runs, "broken", QUICK).run_file.write_text('{"recipe": 3}')
    assert found(runs, QUICK).pace is None


def test_the_room_is_that_of_the_checkpoints(tmp_path: Path) -> None:
    chosen = tiny(epochs=1, model={"name": "resnet", "blocks": [1, 1], "channels": 32, "pool": 16})
    run = new_run(tmp_path / "run", chosen)
    train(run)
    size = sum(file.stat().st_size for file in checkpoint.listing(run.checkpoints)[-1].glob("*.safetensors"))
    parameters = sum(layer.parameters for layer in models.layers(chosen.model, models.Inputs(10)))
    assert forecast.room(chosen, parameters) == pytest.approx(size * (chosen.checkpoint.keep + 2), rel=0.1)


def test_a_disk_that_is_too_small_is_told(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(runs / "not" / "there", QUICK).fits
    monkeypatch.setattr(forecast, "free_bytes", lambda folder: 1 << 20)
    told = found(runs, QUICK)
    assert not told.fits and words(told)[0] == f"checkpoints take up to {format_bytes(told.room)}, and only 1.00 MiB are free"


def test_all_keys_of_a_recipe_are_known_and_completed() -> None:
    assert {"epochs", "optimizer.lr", "data.source", "augment", "model.name"} <= set(recipe_keys.known())
    assert "optimizer" not in recipe_keys.known()
    assert recipe_keys.completed("epochs=3 optimizer.lo") == "epochs=3 optimizer.lookahead_alpha="
    assert recipe_keys.completed("nothing-like-it") == "nothing-like-it"


@pytest.mark.parametrize("name", recipe.names())
def test_any_recipe_of_the_package_can_be_made_of_any_other_or_that_is_told(name: str) -> None:
    for other in recipe.names():
        keys = recipe_keys.differences(recipe.load(name), recipe.load(other))
        if keys is not None:
            typed = " ".join(f"{key}={value}" for key, value in keys.items())
            again = recipe.changed(recipe.load(name), recipe_keys.split(typed))
            assert recipe_keys.differences(again, recipe.load(other)) == {}
    assert recipe_keys.differences(recipe.load(name), recipe.load(name)) == {}


@settings(max_examples=60)
@given(st.text())
def test_any_text_is_split_and_nothing_but_blanks_is_lost(text: str) -> None:
    parts = recipe_keys.split(text)
    assert "".join("".join(parts).split()) == "".join(text.split()) and all(parts)


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"])))
@example('" ')
@example("\\' ")
def test_any_text_of_a_key_survives_being_typed(text: str) -> None:
    base = recipe.load("quickstart")
    other = msgspec.structs.replace(base, data=msgspec.structs.replace(base.data, path=text))
    keys = recipe_keys.differences(base, other)
    assert keys is not None and recipe.changed(base, recipe_keys.split(f"data.path={keys['data.path']}")) == other

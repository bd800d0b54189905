"""Recipes: what is in the package, overrides, and errors that name the key and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import recipe
from core.errors import UserError
from core.sections import Perspective


def test_every_recipe_of_the_package_loads_and_goes_through_toml_unchanged(tmp_path: Path) -> None:
    assert {"quickstart", "seed", "seed-4.9m"} <= set(recipe.names())
    for name in recipe.names():
        loaded = recipe.load(name)
        assert loaded.name == name and loaded.description
        path = tmp_path / f"{name}.toml"
        path.write_text(recipe.to_toml(loaded))
        assert recipe.load(path) == loaded


def test_the_seed_is_the_seed() -> None:
    seed = recipe.load("seed")
    assert [type(step).__name__ for step in seed.augment] == ["Perspective", "Crop", "Perspective", "Flip"]
    assert seed.augment[0] == Perspective(distortion=0.3, p=0.5)
    assert (seed.epochs, seed.batch_size, seed.optimizer.name, seed.optimizer.lr) == (50, 100, "adam", 1e-3)
    assert (seed.early_stopping.monitor, seed.early_stopping.patience, seed.parameter_limit) == ("test.loss", 10, 5_000_000)
    assert seed.data.validation == 0


def test_only_the_seeds_watch_the_test_split() -> None:
    watching = {name for name in recipe.names() if recipe.load(name).early_stopping.split == "test"}
    assert watching == {"seed", "seed-4.9m"}


def test_overrides_are_typed_and_applied_in_order() -> None:
    changed = recipe.load("seed", ["epochs=2", "optimizer.lr=1e-4", "model.blocks=[1, 1]", "device=cpu", "epochs=3"])
    assert (changed.epochs, changed.optimizer.lr, changed.model["blocks"], changed.device) == (3, 1e-4, [1, 1], "cpu")


def test_a_recipe_is_changed_as_if_it_had_been_loaded_so() -> None:
    overrides = ["epochs=2", "data.path=/pictures", "augment=[{name='flip'}]"]
    assert recipe.changed(recipe.load("seed"), overrides) == recipe.load("seed", overrides)
    with pytest.raises(UserError, match="recipe 'seed': epochs: "):
        recipe.changed(recipe.load("seed"), ["epochs=0"])


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("epochs=none", ["epochs: expected a whole number, got a text", "'none'"]),
        ("epochs=0", ["epochs", ">= 1"]),
        ("optimizer.name=adm", ["optimizer.name: expected one of adam, adamw, sgd, muon, got 'adm'"]),
        ("early_stopping.split=x", ["early_stopping.split: expected one of validation, test, got 'x'"]),
        ("precision=half", ["precision: expected one of auto, fp32, bf16, fp16, got 'half'"]),
        ("data.limit=x", ["data.limit: expected a whole number, got a text"]),
        ("optimizer.nesterov=1", ["optimizer.nesterov: expected true or false, got a whole number"]),
        ("optimizer.lr=fast", ["optimizer.lr: expected a number, got a text"]),
        ("optimizer.betas=3", ["optimizer.betas: expected a list, got a whole number"]),
        ("optimizer=1", ["optimizer: expected a table, got a whole number"]),
        ("device=1", ["device: expected a text, got a whole number"]),
        ("optimizer.lr=-1", ["optimizer.lr", "> 0"]),
        ("optimizer.rate=1", ["unknown key 'optimizer.rate'"]),
        ("epohs=3", ["unknown key 'epohs'", "did you mean 'epochs'"]),
        ("early_stopping.patence=3", ["early_stopping.patence", "did you mean 'patience'"]),
        ("epochs", ["key.path=value"]),
        ("=3", ["key.path=value"]),
        ("epochs.x=3", ["epochs is a value"]),
        ("data.validation=1.5", ["data.validation", "< 1"]),
        ("data.validation=0", []),
        (
            "augment=[{name='warp'}]",
            ["augment[0].name: expected one of perspective, crop, flip, cutout, trivial_augment,", "got 'warp'"],
        ),
        ("augment=[{name='crop', padding='x'}]", ["augment[0].padding: expected a whole number, got a text"]),
        ("optimizer.nesterov=true", ["nesterov needs optimizer.momentum"]),
    ],
)
def test_a_wrong_override_is_one_line_that_names_the_key(override: str, words: list[str]) -> None:
    base = "seed" if words else "quickstart"
    with pytest.raises(UserError) as caught:
        recipe.load(base, [override])
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_an_unknown_recipe_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"'sed' is not known \(did you mean 'seed'\?\); known are .*quickstart"):
        recipe.load("sed")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"epochs = ", "not valid TOML"), (b"\xff\xfe", "not UTF-8"), (b"#" * (1 << 20) + b"#", "at most 1,048,576")],
)
def test_a_bad_recipe_file_is_one_line_that_names_it(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=words) as caught:
        recipe.load(path)
    assert "mine.toml" in str(caught.value)


def test_a_missing_recipe_file_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"No such file.*expected a TOML file or one of"):
        recipe.load(tmp_path / "none.toml")


def test_another_model_by_its_name_leaves_out_the_keys_of_the_former() -> None:
    assert recipe.load("seed", ["model=torchvision:resnet18", "model.groups=2"]).model == {
        "name": "torchvision:resnet18", "groups": 2,
    }  # fmt: skip
    assert recipe.load("seed", ["model.name=torchvision:resnet18"]).model["blocks"] == [5, 3, 2, 1]
    with pytest.raises(UserError, match="model: expected a table"):
        recipe.load("seed", ["model=3"])

"""The hash by which a resume knows that its recipe is still the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.recipe import Recipe, from_table
from core.sections import Flip, Optimizer
from core.training.recipe_hash import recipe_hash
from tests.core.training import TINY, tiny


class LaterOptimizer(Optimizer, frozen=True, kw_only=True):
    further: float = 0.0


class LaterFlip(Flip, frozen=True, kw_only=True, tag_field="name", tag="flip"):
    further: int = 1


class LaterRecipe(Recipe, frozen=True, kw_only=True):
    further: str = "none"
    augment: tuple[LaterFlip, ...] = ()
    optimizer: LaterOptimizer = LaterOptimizer()


def later(**changes: Any) -> Recipe:
    """A recipe as a version reads it that has more keys."""
    return msgspec.convert({**TINY, "augment": [{"name": "flip", "p": 0.3}], **changes}, LaterRecipe)


def test_keys_of_a_later_version_leave_it_alone_while_they_have_their_defaults() -> None:
    now = recipe_hash(tiny(augment=[{"name": "flip", "p": 0.3}]))
    assert recipe_hash(later()) == now
    assert recipe_hash(later(further="some")) != now
    assert recipe_hash(later(optimizer={"name": "adam", "lr": 0.01, "further": 1.0})) != now
    assert recipe_hash(later(augment=[{"name": "flip", "p": 0.3, "further": 2}])) != now


def test_a_default_that_is_written_out_says_nothing_new() -> None:
    written = from_table(
        {**TINY, "averaging": {"decay": 0.0}, "schedule": {"name": "cosine", "per": "step", "warmup_epochs": 0}}
    )
    assert recipe_hash(written) == recipe_hash(tiny())


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"augment": [{"name": "flip"}]},
        {"augment": [{"name": "crop"}]},
        {"augment": [{"name": "flip"}, {"name": "flip"}]},
        {"model": {"name": "resnet", "blocks": [1, 1]}},
        {"optimizer": {"name": "sgd", "lr": 0.01}},
        {"low_resolution": [{"size": 16, "epochs": 1}]},
        {"precision": "fp16"},
    ],
    ids=str,
)
def test_whatever_decides_the_result_changes_it(changes: dict[str, Any]) -> None:
    others = [tiny(), tiny(augment=[])]
    assert recipe_hash(tiny(**changes)) not in map(recipe_hash, others)


@pytest.mark.parametrize(
    "changes",
    [{"name": "x"}, {"description": "x"}, {"epochs": 9}, {"device": "cuda"}, {"checkpoint": {"keep": 1}}],
    ids=str,
)
def test_what_does_not_decide_the_result_does_not(changes: dict[str, Any]) -> None:
    assert recipe_hash(tiny(**changes)) == recipe_hash(tiny())

"""Classes of different sizes: what is measured, watched, required, and how the loss weighs them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from core import data
from core.data import batches
from core.data.mixing import Targets
from core.events import EarlyStoppingUpdated, EpochDone, RunFinished, ValidationDone
from core.training import setup as setups
from core.training.evaluation import Result
from core.training.recipe_hash import recipe_hash
from tests.core.training import fingerprint, new_run, tiny, train

PIXELS = np.random.RandomState(0).randint(0, 256, (66, 16, 16)).astype(np.uint8)
LABELS = np.repeat(np.arange(3), (44, 11, 11))


def settings(folder: Path, **values: object) -> dict[str, object]:
    path = folder / "mine.npz"
    if not path.exists():
        np.savez(path, images=PIXELS, labels=LABELS)
    return {"source": "arrays", "path": str(path), "validation": 0.2, "size": 16, "evaluation_batch_size": 20, **values}


SMALL = {"augment": [{"name": "crop"}], "epochs": 2, "model": {"name": "resnet", "blocks": [1, 1], "channels": 8, "pool": 8}}


def test_every_class_counts_alike_in_the_balanced_accuracy() -> None:
    result = Result(1.0, [[8, 2, 0], [1, 1, 0], [0, 0, 0]])
    assert result.accuracy == 9 / 12 and result.balanced_accuracy == (0.8 + 0.5) / 2 and result.unbalanced
    even = Result(1.0, [[3, 1], [2, 2]])
    assert even.accuracy == even.balanced_accuracy and not even.unbalanced


def test_a_run_tells_and_watches_it(tmp_path: Path) -> None:
    stopping = {"metric": "balanced_accuracy", "patience": 5}
    said = train(new_run(tmp_path / "run", tiny(**SMALL, data=settings(tmp_path), early_stopping=stopping)))
    epochs = [event for event in said if isinstance(event, EpochDone)]
    watched = [event for event in said if isinstance(event, EarlyStoppingUpdated)]
    assert [event.value for event in watched] == [event.metrics["val.balanced_accuracy"] for event in epochs]
    assert {event.metric for event in watched} == {"val.balanced_accuracy"}
    for event in said:
        if isinstance(event, ValidationDone):
            shares = [correct / images for correct, images in zip(event.correct, event.images, strict=True)]
            name = "val" if event.split == "validation" else "test"
            assert event.metrics[f"{name}.balanced_accuracy"] == pytest.approx(np.mean(shares))
    end = said[-1]
    assert isinstance(end, RunFinished) and {"test.balanced_accuracy", "best.val.balanced_accuracy"} <= end.metrics.keys()


def test_it_is_told_of_even_classes_only_where_it_is_watched(tmp_path: Path) -> None:
    even = {"source": "sample", "limit": 40, "validation": 0.2, "evaluation_batch_size": 20}
    for number, metric in enumerate(("loss", "balanced_accuracy")):
        recipe = tiny(epochs=1, data=even, early_stopping={"metric": metric})
        said = [event for event in train(new_run(tmp_path / str(number), recipe)) if isinstance(event, ValidationDone)]
        assert ["val.balanced_accuracy" in event.metrics for event in said if event.split == "validation"] == [number == 1]


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    weights = batches.balanced_weights(LABELS, 4)
    assert weights.tolist() == pytest.approx([66 / (3 * 44), 2.0, 2.0, 0.0])  # compute_class_weight("balanced"), and none of it
    assert float(weights[LABELS].mean()) == pytest.approx(1.0)


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_the_loss_is_torchs_weighted_mean(share: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits, weights = torch.randn(8, 3, generator=generator), torch.tensor([0.5, 2.0, 2.0])
    labels, others = (torch.randint(0, 3, (8,), generator=generator) for _ in range(2))
    expected = sum(
        part * functional.cross_entropy(logits, truth, weight=weights, label_smoothing=0.1)
        for part, truth in ((share, labels), (1 - share, others))
    )
    assert torch.allclose(Targets(labels, others, share).loss(logits, 0.1, weights), torch.as_tensor(expected))


def test_weights_decide_the_result_and_are_part_of_the_recipe(tmp_path: Path) -> None:
    recipes = [tiny(**SMALL, data=settings(tmp_path, class_weights=name)) for name in ("none", "balanced")]
    assert recipe_hash(recipes[0]) != recipe_hash(recipes[1])
    assert setups.prepare(recipes[0], 1, data.silent).class_weights is None
    found = []
    for number, recipe in enumerate([*recipes, recipes[1]]):
        train(run := new_run(tmp_path / f"run-{number}", recipe))
        found.append(fingerprint(run))
    assert found[0] != found[1] == found[2]
    weights = setups.prepare(recipes[1], 1, data.silent).class_weights
    assert weights is not None and weights.tolist() == pytest.approx([48 / (3 * 32), 2.0, 2.0])


def test_recipes_of_before_keep_their_hash() -> None:
    now, before = (
        tiny(),
        tiny(data={"source": "sample", "limit": 70, "validation": 0.2, "evaluation_batch_size": 20, "size": 32}),
    )
    assert now.data.size is None and recipe_hash(now) == recipe_hash(before)
    assert recipe_hash(now) == "84c56dad7800c280590f4221b21d5d2a5c38aeffe3bc2a8e109cb23f415f7125"
    larger = tiny(data={"source": "sample", "limit": 70, "validation": 0.2, "evaluation_batch_size": 20, "size": 64})
    assert recipe_hash(larger) != recipe_hash(now)

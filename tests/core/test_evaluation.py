"""Test-time augmentation, and runs that hold nothing out and choose nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from core import commands, recipe
from core.checkpoint import pointed
from core.commands import Command
from core.errors import UserError
from core.events import CommandRejected, EarlyStoppingUpdated, EpochDone, RunFinished, ValidationDone
from core.sections import Tta
from core.training.evaluation import Evaluation, Examples, Normalisation, logits_of, other_views
from tests.core.training import Script, new_run, tiny, train

NOTHING_HELD_OUT = {
    "data": {"source": "sample", "limit": 70, "validation": 0.0, "evaluation_batch_size": 20},
    "early_stopping": {"enabled": False},
    "evaluation": {"weights": "last", "tta": "mirror_translate"},
}
PLAIN = Normalisation((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def test_moved_views_are_cut_from_the_reflected_image() -> None:
    images = torch.randint(0, 256, (2, 3, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    expected = [images.flip(-1)]
    for start in (0, 2):
        for image in (images, images.flip(-1)):
            padded = functional.pad(image.float(), (1, 1, 1, 1), mode="reflect")
            expected.append(padded[:, :, start : start + 6, start : start + 5].to(torch.uint8))
    views = [view for _, view in other_views(images, "mirror_translate")]
    assert len(views) == len(expected)
    assert all(torch.equal(*pair) for pair in zip(views, expected, strict=True))


@pytest.mark.parametrize(("tta", "own"), [("mirror", 0.5), ("mirror_translate", 0.25)])
def test_the_votes_add_up_to_one(tta: Tta, own: float) -> None:
    assert sum(share for share, _ in other_views(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), tta)) == 1 - own


@pytest.mark.parametrize("tta", ["mirror", "mirror_translate"])
def test_accuracy_with_augmentation_is_that_of_the_weighted_logits(tta: Tta) -> None:
    generator = torch.Generator().manual_seed(1)
    examples = Examples(
        torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8, generator=generator),
        torch.randint(0, 4, (50,), generator=generator),
    )
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4)).eval()
    passing = Evaluation(network, examples, 4, PLAIN, 20, "fp32", tta)
    assert list(passing) == [20, 40, 50]
    with torch.no_grad():
        own = logits_of(network, examples.images[:], PLAIN, "fp32")
        others = [(share, logits_of(network, view, PLAIN, "fp32")) for share, view in other_views(examples.images[:], tta)]
    averaged = own * (1 - sum(share for share, _ in others)) + sum(share * logits for share, logits in others)
    result = passing.result()
    assert result.tta_accuracy == (averaged.argmax(1) == examples.labels).double().mean().item()
    assert result.accuracy == (own.argmax(1) == examples.labels).double().mean().item()


def test_a_run_without_held_out_images_trains_all_its_epochs_and_measures_test_once(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(**NOTHING_HELD_OUT))
    events = train(run)
    assert [event.split for event in events if isinstance(event, ValidationDone)] == ["test"]
    epochs = [event for event in events if isinstance(event, EpochDone)]
    assert [set(event.metrics) for event in epochs] == [{"train.loss", "train.accuracy"}] * 3
    assert all(event.metric == "" and not event.enabled for event in events if isinstance(event, EarlyStoppingUpdated))
    finished = events[-1]
    assert isinstance(finished, RunFinished) and set(finished.metrics) == {"test.loss", "test.accuracy", "test.tta_accuracy"}
    assert pointed(run.checkpoints, "best") is None
    assert finished.weights.startswith("checkpoints/step-00000015")


def test_the_held_out_split_is_measured_with_the_last_weights_too(tmp_path: Path) -> None:
    settings = {"evaluation": {"weights": "last", "tta": "mirror"}}
    events = train(new_run(tmp_path / "run", tiny(**settings)))
    final = [event for event in events if isinstance(event, ValidationDone) and event.checkpoint]
    assert [event.split for event in final] == ["validation", "test"]
    assert len({event.checkpoint for event in final}) == 1 and final[0].checkpoint.startswith("step-00000015")
    finished = events[-1]
    assert isinstance(finished, RunFinished) and {"val.tta_accuracy", "test.tta_accuracy"} <= set(finished.metrics)


@pytest.mark.parametrize("command", [commands.Validate(id="a"), commands.SetEarlyStopping(id="a", enabled=True)])
def test_what_needs_held_out_images_is_refused_where_there_are_none(tmp_path: Path, command: Command) -> None:
    script = Script()
    script.at[2] = [command]
    events = train(new_run(tmp_path / "run", tiny(**NOTHING_HELD_OUT)), script)
    refused = [event for event in events if isinstance(event, CommandRejected)]
    assert len(refused) == 1 and "holds no images out" in refused[0].reason
    assert isinstance(events[-1], RunFinished)


def test_holding_nothing_out_while_choosing_by_it_is_refused() -> None:
    with pytest.raises(UserError, match="holds nothing out"):
        recipe.changed(recipe.load("quickstart"), ["data.validation=0.0"])
    with pytest.raises(UserError, match="holds nothing out"):
        recipe.changed(recipe.load("quickstart"), ["data.validation=0.0", "early_stopping.enabled=false"])

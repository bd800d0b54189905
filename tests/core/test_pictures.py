"""The pictures that a run keeps: the right ones, the same after a resume, and nothing of the training depends on them."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch import nn

from core import checkpoint, data
from core.checkpoint import Damaged
from core.events import Event, MessageLogged, PicturesLogged, RunFinished
from core.run import media
from core.run.folder import RunFolder
from core.run.repair import repair
from core.run.verify import verify
from core.training import pictures as kept
from core.training.evaluation import Evaluation, Examples, Guesses, Normalisation, logits_of
from core.training.setup import prepare
from core.view import pictures
from core.view.pictures import Picture
from core.view.summary import summarise
from tests.core.training import STEPS, Script, last_progress, new_run, tiny, train

PLAIN = Normalisation((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
MIXED = {"mixing": {"mixup": 0.4, "cutmix": 1.0, "p": 1.0}}
SMALL_FIRST = {"model": {"name": "convnet", "widths": [8, 8]}, "low_resolution": [{"size": 24, "epochs": 1}]}


def logged(events: list[Event], kind: str) -> list[PicturesLogged]:
    return [event for event in events if isinstance(event, PicturesLogged) and event.kind == kind]


def shown(run: RunFolder, event: PicturesLogged) -> tuple[Picture, ...]:
    return pictures.read(run, event.media, event.kind)


def pixels(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.frombuffer(picture.pixels, np.uint8).reshape(picture.channels, picture.height, picture.width)


def brute_force(labels: list[int], taken_for: list[int], confidence: list[float], most: int) -> list[int]:
    """Spelled out, one image after the other."""
    wrong = [place for place in range(len(labels)) if labels[place] != taken_for[place]]
    wrong.sort(key=lambda place: (-confidence[place], place))
    pairs: dict[tuple[int, int], list[int]] = {}
    for place in wrong:
        pairs.setdefault((labels[place], taken_for[place]), []).append(place)
    frequent = sorted(pairs, key=lambda pair: (-len(pairs[pair]), pair))[: kept.PAIRS]
    chosen = {*wrong[:most], *(place for pair in frequent for place in pairs[pair][: kept.OF_PAIR])}
    return [place for place in wrong if place in chosen]


@pytest.mark.parametrize("seed", range(8))
def test_the_worst_are_those_that_a_look_at_each_image_finds(seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 6, (300,), generator=chance)
    taken_for = torch.where(torch.rand(300, generator=chance) < 0.5, labels, torch.randint(0, 6, (300,), generator=chance))
    confidence = torch.randint(0, 20, (300,), generator=chance) / 20  # with ties
    found = kept.worst(labels, Guesses(taken_for, confidence), 12).tolist()
    assert found == brute_force(labels.tolist(), taken_for.tolist(), confidence.tolist(), 12)


def test_no_mistake_and_no_number_are_no_trouble() -> None:
    labels = torch.arange(4)
    assert kept.worst(labels, Guesses(labels, torch.ones(4)), 3).tolist() == []
    assert kept.worst(labels, Guesses(labels.flip(0), torch.full((4,), torch.nan)), 3).tolist() == [0, 1, 2, 3]


def test_what_each_image_was_taken_for_is_remembered_and_changes_no_figure() -> None:
    chance = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8, generator=chance)
    examples = Examples(images, torch.randint(0, 4, (50,), generator=chance))
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4)).eval()
    results = []
    for remember in (True, False):
        passing = Evaluation(network, examples, 4, PLAIN, 20, "fp32", remember=remember)
        assert list(passing) == [20, 40, 50]
        results.append(passing.result())
    with torch.no_grad():
        chances = torch.cat([logits_of(network, part, PLAIN, "fp32").softmax(1) for part in torch.split(images, 20)])
    assert results[0].guesses and results[1].guesses is None
    assert results[0][:3] == results[1][:3]
    assert torch.equal(results[0].guesses.taken_for, chances.argmax(1))
    assert torch.equal(results[0].guesses.confidence, chances.amax(1))


def test_mistakes_are_images_of_their_split(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    found = logged(train(run), "mistakes")
    assert [(event.split, event.epoch, event.step) for event in found] == [
        ("validation", epoch, epoch * STEPS) for epoch in (1, 2, 3)
    ]
    setup = prepare(tiny(), 1, data.silent)
    state = summarise(run)
    for event in found:
        mistakes = shown(run, event)
        assert len(mistakes) == event.pictures > 0
        assert [item.share for item in mistakes] == sorted((item.share for item in mistakes), reverse=True)
        for item in mistakes:
            assert item.label != item.other and item.label == setup.validation.labels[item.sample]
            assert np.array_equal(pixels(item), setup.validation.images[:][item.sample].numpy())
    assert [item.media for item in state.pictures if item.kind == "mistakes"] == [event.media for event in found]
    last = state.measurements["validation"].confusion
    counted = sum(count for truth, row in enumerate(last) for guess, count in enumerate(row) if truth != guess)
    assert 0 < found[-1].pictures <= counted


@pytest.mark.parametrize("changes", [{}, MIXED, SMALL_FIRST], ids=["plain", "mixed", "small first"])
def test_batches_are_what_the_network_sees(tmp_path: Path, changes: dict[str, object]) -> None:
    """Held against the very batches that the steps took."""
    recipe = tiny(**changes, pictures={"batch": 5})
    run, script, seen = new_run(tmp_path / "run", recipe), Script(), list[tuple[torch.Tensor, torch.Tensor]]()

    def watch(trainer: object) -> None:
        steps = script.trainer.steps if script.trainer else None
        if steps and not seen:
            original = steps._set_gradients

            def noted(samples: torch.Tensor, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
                seen.append((samples, steps._batch(samples, epoch)[0]))
                return original(samples, epoch)

            steps._set_gradients = noted  # type: ignore[method-assign]

    script.watch = watch
    found = logged(train(run, script), "batch")
    assert [(event.split, event.epoch, event.step, event.pictures) for event in found] == [
        ("train", epoch, (epoch - 1) * STEPS, 5) for epoch in (1, 2, 3)
    ]
    setup = prepare(recipe, 1, data.silent)
    for event, (samples, images) in zip(found, seen[::STEPS], strict=True):
        batch = shown(run, event)
        assert [item.sample for item in batch] == samples[:5].tolist()
        again = torch.stack([torch.from_numpy(pixels(item).copy()) for item in batch]).float()
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in setup.normalisation)
        expected = ((images[:5] * std + mean) * 255).clamp(0, 255)
        assert again.shape == expected.shape and (again - expected).abs().max() <= 0.501
        assert all(item.share == 1.0 for item in batch) == (not changes or changes is SMALL_FIRST)


def test_nothing_of_the_training_depends_on_them(tmp_path: Path) -> None:
    ends = []
    for name, settings in (("with", {}), ("without", {"mistakes": 0, "batch": 0})):
        run = new_run(tmp_path / name, tiny(**MIXED, pictures=settings))
        events = train(run)
        assert bool([event for event in events if isinstance(event, PicturesLogged)]) == (name == "with")
        assert run.media.exists() == (name == "with")
        files = checkpoint.read(checkpoint.listing(run.checkpoints)[-1])[1]
        ends.append({name: load(files[name]) for name in files if name.endswith(".safetensors")})
        ends[-1]["progress"] = {"all": torch.tensor([last_progress(run).loss_sum, float(last_progress(run).watch.best)])}
    assert ends[0].keys() == ends[1].keys()
    for name, tensors in ends[0].items():
        assert all(torch.equal(tensor, ends[1][name][key]) for key, tensor in tensors.items())


def test_after_kills_and_resumes_they_are_the_same(tmp_path: Path) -> None:
    recipe = tiny(**MIXED, checkpoint={"every_seconds": 0.001, "keep": 2})
    whole, killed = new_run(tmp_path / "whole", recipe), new_run(tmp_path / "killed", recipe)
    train(whole)
    for step in (0, 3, STEPS, STEPS + 1, 2 * STEPS):
        script = Script()
        script.kill_at = step
        train(killed, script)
    assert isinstance(train(killed)[-1], RunFinished)
    assert summarise(killed).pictures == summarise(whole).pictures
    assert summarise(killed).class_history == summarise(whole).class_history
    for item in summarise(killed).pictures:
        assert media.read(killed.media, item.media) == media.read(whole.media, item.media)


def test_a_run_that_watches_nothing_keeps_the_mistakes_of_its_final_test(tmp_path: Path) -> None:
    recipe = tiny(
        data={"source": "sample", "limit": 70, "validation": 0.0, "evaluation_batch_size": 20},
        early_stopping={"enabled": False}, evaluation={"weights": "last"},
    )  # fmt: skip
    found = logged(train(new_run(tmp_path / "run", recipe)), "mistakes")
    assert [(event.split, bool(event.checkpoint)) for event in found] == [("test", True)]


def test_they_are_for_the_owner_alone_and_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST", 3)
    run = new_run(tmp_path / "run", tiny())
    events = train(run)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (run.media, *run.media.iterdir())}
    assert modes.pop("media") == 0o700 and set(modes.values()) == {0o600}
    newest = [event.media for event in events if isinstance(event, PicturesLogged)][-3:]
    assert set(modes) == set(newest)
    with pytest.raises(Damaged, match="not kept any more"):
        media.read(run.media, summarise(run).pictures[0].media)
    assert all(finding.good for finding in verify(run))


def test_not_more_bytes_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST_BYTES", 250)
    folder = media.Media(tmp_path / "media")
    names = [folder.keep(bytes([number]) * 100) for number in range(5)]
    assert {path.name for path in media.listing(tmp_path / "media")} == set(names[-2:])


def test_where_they_cannot_be_kept_the_training_goes_on_and_says_so_once(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    run.media.write_bytes(b"in the way")
    events = train(run)
    warnings = [event.text for event in events if isinstance(event, MessageLogged)]
    assert len(warnings) == 1 and warnings[0].startswith("pictures are not kept:")
    assert isinstance(events[-1], RunFinished) and not summarise(run).pictures
    assert [finding.text for finding in verify(run) if not finding.good] == ["not a folder"]
    assert repair(run) == ["media set aside as bad-media: not a folder"]


def test_large_images_are_made_smaller_to_be_looked_at() -> None:
    large = torch.full((2, 3, 200, 100), 77, dtype=torch.uint8)
    assert kept.smaller(large).shape == (2, 3, 64, 32)
    assert (kept.smaller(large) == 77).all()

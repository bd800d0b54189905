"""From a weights file to files for others: measured, written beside, loaded anew, compared, and only then put in place."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from core import data, models
from core.checkpoint import MANIFEST
from core.data import batches
from core.data.sharing import shared_source
from core.errors import UserError, out_of_memory
from core.exporting import TAKEN, Format, check, of
from core.exporting._checking import IMAGES, Agreement, Expected, compare, expected
from core.exporting._facts import Export, Facts, Written, shared
from core.exporting._program import Model
from core.files import check_free, create_whole, sync
from core.predicting import Evaluation, Loaded, images_to_test, measure, summary
from core.sections import Data
from core.training.evaluation import logits_of
from core.training.recipe_hash import recipe_hash

MADE_UP = 1 << 28
"""Bytes of images that are made up, at the most: ``IMAGES`` of 299 pixels square in colours."""


class _Tried(NamedTuple):
    """What the network said of the images that the files are tried on."""

    data: str
    images: Tensor
    taken_for: Tensor
    labels: Tensor | None
    evaluation: Evaluation | None
    """In fp32."""
    evaluated_accuracy: float | None = None
    """As ``evaluate`` has it."""


def export(
    weights: Path,
    targets: Sequence[Path],
    settings: Data | None = None,
    device: str = "auto",
    threads: int | None = None,
    progress: data.Progress = data.silent,
    model: str | None = None,
    code: Path | None = None,
    *,
    name: str = "",
    synthetic: bool = False,
    force: bool = False,
) -> Export:
    """Write a weights file as each of ``targets``, whose endings say as what, once each has been found to compute the same.

    The images are those of the test split of its own data or of ``settings``; ``synthetic`` ones are made up, and tell nothing
    of the accuracy. ``name`` is the model's, by itself the file's. ``device`` and ``threads`` are for the measurement,
    ``model`` and ``code`` those of :func:`core.evaluate`. What is there already is written over only by ``force``. Raises
    UserError.
    """
    formats = [of(target) for target in targets]
    check(targets, force)
    loaded = Loaded(weights, device, threads, model, code)
    tried = _made_up(loaded) if synthetic else _measured(loaded, settings, progress)
    network = loaded.stored.network(model, code)
    facts = _facts(loaded, tried, name or weights.stem)
    made = Model(network, loaded.stored.about, facts)
    known = expected(network, loaded.normalisation, tried.images, tried.taken_for, loaded.precision, tried.labels)
    place = loaded.stored.place_of_code(model, code)
    files = tuple(_written(*pair, made, known, progress, place, force) for pair in zip(targets, formats, strict=True))
    return Export(facts=facts, files=files, evaluation=tried.evaluation, recipe=shared(loaded.recipe))


def _measured(loaded: Loaded, settings: Data | None, progress: data.Progress) -> _Tried:
    """The whole test split as ``evaluate`` measures it, and in fp32; tried are the first images of each class."""
    try:
        name, test = images_to_test(loaded.stored, settings, progress)
    except UserError as error:
        raise UserError(
            f"no test images to verify the export on: {error} (another place: --data NAME|PATH; without any: --synthetic)"
        ) from None
    if not len(test.indices):
        raise UserError(f"data '{name}': no test images to verify the export on; choose others with --data")
    result = measure(loaded, test, settings, progress, remember=True)
    assert result.guesses is not None
    chosen = batches.first_per_class(test.labels, IMAGES)
    images, labels = batches.to_device(test.images, test.indices[chosen], "cpu")
    taken_for = result.guesses.taken_for[torch.from_numpy(chosen)]
    exact = result if loaded.precision == "fp32" else measure(loaded, test, settings, progress, precision="fp32")
    return _Tried(name, images, taken_for, labels, summary(loaded.stored, exact), result.accuracy)


def _made_up(loaded: Loaded) -> _Tried:
    """Noise with the mean and deviation of the data."""
    _, channels, size = loaded.inputs
    mean, std = (torch.tensor(part).view(-1, 1, 1) for part in loaded.normalisation)
    images = torch.empty(min(IMAGES, max(1, MADE_UP // (channels * size**2))), channels, size, size, dtype=torch.uint8)
    generator = torch.Generator().manual_seed(0)
    for image in images:  # one by one, since noise is four times as large
        drawn = torch.randn(image.shape, generator=generator)
        image.copy_(((mean + std * drawn) * 255).round().clamp(0, 255))
    return _Tried(loaded.recipe.data.source, images, _predictions(loaded, images), None, None)


@torch.no_grad()
def _predictions(loaded: Loaded, images: Tensor) -> Tensor:
    size, normalisation = loaded.recipe.data.evaluation_batch_size, loaded.normalisation
    parts = (images[start : start + size].to(loaded.device) for start in range(0, len(images), size))
    return torch.cat([logits_of(loaded.network, part, normalisation, loaded.precision).argmax(1).cpu() for part in parts])


def _facts(loaded: Loaded, tried: _Tried, name: str) -> Facts:
    inputs, recipe, evaluation = loaded.inputs, loaded.recipe, tried.evaluation
    return Facts(
        name=name, checkpoint=_checkpoint(loaded.stored.path), classes=loaded.classes, channels=inputs.channels,
        size=inputs.size, mean=loaded.normalisation.mean, std=loaded.normalisation.std, architecture=str(recipe.model["name"]),
        parameters=models.count_parameters(loaded.network), recipe=recipe.name, recipe_hash=recipe_hash(recipe),
        data=shared_source(tried.data), precision=loaded.precision, accuracy=evaluation.accuracy if evaluation else None,
        evaluated_accuracy=tried.evaluated_accuracy,
        test_images=evaluation.images if evaluation else 0, made_with=f"tui-trainer {metadata.version('tui-trainer')}",
    )  # fmt: skip


def _checkpoint(weights: Path) -> str:
    """Its name; that of the file where it lies anywhere else."""
    return weights.parent.name if (weights.parent / MANIFEST).is_file() else weights.name


def _written(
    target: Path, form: Format, made: Model, known: Expected, progress: data.Progress, code: Path | None, force: bool
) -> Written:
    """Into a folder of its own beside the place where it goes, until it is known to be right."""
    progress(f"write {target.name}", 0, 0, "")
    with _one_line(target), tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as folder:
        files = _contents(form, made, target)
        for name, content in files.items():
            create_whole(Path(folder, name), content)
        agreement = _compared(Path(folder, target.name), form, known, progress, code)
        _put(Path(folder), list(files), target, force)
    return _told(target, form, files, known, agreement)


def _put(folder: Path, names: list[str], target: Path, force: bool) -> None:
    """Raises UserError where something has come to be there meanwhile."""
    for name in names:
        check_free(target.with_name(name), force, TAKEN)
    for name in reversed(names):  # what is beside it first
        (folder / name).replace(target.with_name(name))
    sync(target.parent)


def _contents(form: Format, made: Model, target: Path) -> dict[str, bytes]:
    try:
        return form.files(made, target.name)
    except Exception as error:  # whatever torch cannot follow in a network
        if out_of_memory(error):
            raise
        raise UserError(f"{target}: this network cannot be written so: {_reason(error)}; try another format") from None


def _compared(path: Path, form: Format, known: Expected, progress: data.Progress, code: Path | None) -> Agreement:
    try:
        return compare(form.opened(path, code), known, progress)
    except UserError as error:
        raise UserError(f"{path.name}: not written: {error}; try another format, and report this") from None
    except Exception as error:  # of whoever runs it
        if out_of_memory(error):
            raise
        raise UserError(f"{path.name}: not written: it does not run: {_reason(error)}; try another format") from None


def _told(target: Path, form: Format, files: dict[str, bytes], known: Expected, found: Agreement) -> Written:
    return Written(
        path=str(target), format=target.suffix.lower().removeprefix("."), bytes=len(files[target.name]),
        beside=tuple(str(target.with_name(name)) for name in form.BESIDE), images=len(known.images),
        largest_difference=found.largest_difference, tolerance=found.tolerance, near_ties=found.near_ties,
        accuracy=found.accuracy,
    )  # fmt: skip


@contextmanager
def _one_line(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{target}: cannot be written: {error.strerror or error}; choose another place with --to") from None


def _reason(error: BaseException) -> str:
    """Its type and first line."""
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}{': ' * bool(first)}{first:.300}"

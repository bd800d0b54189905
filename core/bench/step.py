"""A recipe's training step beside a plain one of the same network, measured in turn; then parts, evaluation, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from core.bench import alternating, parts
from core.bench.alternating import Block
from core.bench.ours import OurStep, images_per_second, warm_up
from core.bench.plain_process import PlainProcess
from core.bench.results import StepResult
from core.bench.subject import Subject, prepare
from core.data import Progress
from core.errors import TrainingError
from core.recipe import Recipe
from core.training.device import choose_convolution

FOR_PARTS = 0.25
"""Share of the comparison's time that the parts of the step get on top, and again the evaluation."""


def measure(
    recipe: Recipe, seconds: float, threads: int | None, folder: Path | None, progress: Progress, results: list[StepResult]
) -> None:
    """Append this recipe's result to ``results`` and fill it in. ``seconds`` are those of the comparison; checkpoints go to the
    disk of ``folder``. Raises UserError as preparing a training does."""
    progress(f"{recipe.name}: data and network", 0, 0, "")
    subject = prepare(recipe, threads)
    setup, short = subject.setup, FOR_PARTS * seconds
    result = _begun(subject)
    results.append(result)
    _compare(subject, seconds, progress, result)
    progress(f"{recipe.name}: parts of the step", 0, 0, "")
    result.parts = parts.step_parts(setup, short)
    progress(f"{recipe.name}: evaluation", 0, 0, "")
    result.evaluation_images_per_second = parts.evaluation_rate(setup, short)
    progress(f"{recipe.name}: checkpoints", 0, 0, "")
    result.checkpoint = parts.saving(setup, folder)


def _begun(subject: Subject) -> StepResult:
    setup = subject.setup
    result = StepResult(
        recipe=setup.recipe.name,
        data=setup.data,
        model=str(setup.recipe.model.get("name", "")),
        parameters=setup.parameters,
        macs=setup.macs,
        batch_size=min(setup.recipe.batch_size, len(setup.train)),
        device=setup.world.device,
        precision=setup.precision,
        notes=list(_notes(subject)),
    )
    if not subject.random:
        result.load_seconds = subject.load_seconds
        result.load_images_per_second = subject.loaded / subject.load_seconds
    return result


def _notes(subject: Subject) -> Iterator[str]:
    """What a reader of the figures must know."""
    recipe = subject.setup.recipe
    if subject.random:
        yield f"data '{recipe.data.source}' are not here: measured on random images of their shape"
    if recipe.optimizer.name == "muon":
        yield "the plain step has SGD in Muon's place"
    if recipe.optimizer.sam:
        yield "our step takes two passes (SAM), which FLOP/s does not count; the plain step takes one"
    if recipe.low_resolution:
        yield "measured at full size; the recipe's first epochs are smaller and faster"
    if choose_convolution(recipe, subject.setup.device) == "winograd":
        yield "our 3x3 convolutions take fewer operations than FLOP/s counts (Winograd)"


def _compare(subject: Subject, seconds: float, progress: Progress, result: StepResult) -> None:
    """Ours alone where the plain one does not run, for instance since it needs more memory."""
    setup, phase = subject.setup, f"{result.recipe}: our step and a plain one in turn"
    progress(phase, 0, 0, "")
    ours = OurStep(setup)
    steps = warm_up(ours)
    blocks: dict[str, Block] = {"ours": lambda: images_per_second(ours, steps)}
    try:
        with PlainProcess(setup.recipe, setup.threads) as plain:
            result.plain_workers = plain.workers
            _alternate({**blocks, "plain": plain.block}, seconds, phase, progress, result)
    except TrainingError as error:
        result.notes.append(error.reason)
        _alternate(blocks, seconds, f"{result.recipe}: our step", progress, result)


def _alternate(blocks: Mapping[str, Block], seconds: float, phase: str, progress: Progress, result: StepResult) -> None:
    started, rounds = time.monotonic(), list[dict[str, float]]()
    for measured in alternating.rounds(blocks, seconds):
        rounds.append(measured)
        rates = {name: alternating.rate(rounds, name) for name in blocks}
        result.images_per_second, result.plain_images_per_second = rates["ours"], rates.get("plain")
        result.ratio = alternating.ratio(rounds, "ours", "plain") if "plain" in blocks else None
        result.flops, result.plain_flops = (
            3 * 2 * result.macs * rate.median if rate else None for rate in (rates["ours"], rates.get("plain"))
        )
        progress(phase, min(round(time.monotonic() - started), round(seconds)), round(seconds), "s")

"""What ``bench`` prints: tables that fit 80 columns and need no colour, each number with its unit."""

from __future__ import annotations

import io
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.bench.results import Machine, Mean, Parts, SeedResult, Spread, StepReport, StepResult, TargetReport, WatchedReport
from core.view.words import NOTHING, count, format_bytes, format_count, format_metric
from tui_trainer.escape import printable

NARROWEST = 80
"""Columns."""
STEPS_WORDS = (
    "ratio: images/s of ours to plain, median and quartiles over pairs of blocks, one right after the other",
    "FLOP/s: 3 x 2 x multiply-accumulates of an image's forward pass x images/s (a backward pass counts as two forward ones)",
)


def step_lines(report: StepReport) -> list[str]:
    results = report.recipes
    parts = [_parts_row(result.recipe, result.parts) for result in results if result.parts]
    beside = [_beside_row(result) for result in results if result.load_seconds or result.evaluation_images_per_second]
    workers = max(result.plain_workers or 0 for result in results)
    plain = (
        "plain: fp32, torch's default layout (NCHW) and optimizers, torchvision's transforms in a DataLoader with "
        f"{count(workers, 'worker process')}, in a process of its own"
    )
    return [
        machine_line(report.machine),
        *_titled("our training step and a plain one of the same network, in turn", STEP_COLUMNS, [*map(_step_row, results)]),
        *_wrapped([*STEPS_WORDS, plain]),
        *_titled("parts of our step, milliseconds", PART_COLUMNS, parts),
        *_titled("beside the steps: loading data, evaluation, saving a checkpoint", BESIDE_COLUMNS, beside),
        *_wrapped(f"{result.recipe}: {note}" for result in results for note in result.notes),
        *_interrupted(report.interrupted),
    ]


def watched_lines(report: WatchedReport) -> list[str]:
    cores = "training fills all cores" if report.cores_filled else "training leaves a core or runs on a GPU"
    rows = [
        ("steps alone, no events", _rate(report.alone), "1"),
        ("with events and journal", _rate(report.journal), _ratio(report.journal_ratio)),
        ("with the console attached too", _rate(report.console), _ratio(report.console_ratio)),
    ]
    title = f"recipe {report.recipe}, data {report.data}, batch {report.batch_size:,}, {report.device}: {cores}"
    drawn = format_bytes(report.screen_bytes_per_second or 0)
    return [
        machine_line(report.machine),
        *_titled(title, ("training", "images/s", "ratio"), rows),
        *_wrapped(
            ["ratio: to the steps alone in the same round, median and quartiles", f"the console drew {drawn}/s at 120x40"]
        ),
        *_interrupted(report.interrupted),
    ]


def target_lines(report: TargetReport) -> list[str]:
    title = f"recipe {report.recipe} for {count(report.wanted_seeds, 'seed')}, seconds"
    resumed = [
        f"seed {seed.seed} was cut off and resumed: its time is no clean one" for seed in report.seeds if seed.sessions > 1
    ]
    folders = f"runs: {report.seeds[0].run} and so on; tui-trainer show RUN shows one"
    return [
        machine_line(report.machine),
        *_titled(title, SEED_COLUMNS, [*map(_seed_row, report.seeds)]),
        *_wrapped([*resumed, folders, *_means(report), *_verdict(report)]),
        *_interrupted(report.interrupted),
    ]


def machine_line(machine: Machine) -> str:
    gpus = ", ".join(machine.gpus) or "no GPU"
    cores, threads = count(machine.cores, "core"), count(machine.threads, "thread")
    return f"machine: {machine.processor}, {cores}, {threads}, {machine.capability}, torch {machine.torch}, {gpus}"


STEP_COLUMNS = (
    "recipe", "batch", "ours\nimages/s", "plain\nimages/s", "ours\nFLOP/s", "plain\nFLOP/s", "ratio\n(quartiles)",
)  # fmt: skip
PART_COLUMNS = ("recipe", "augment", "forward", "backward", "optimizer", "other", "step")
BESIDE_COLUMNS = ("recipe", "load\ns", "load\nimages/s", "evaluate\nimages/s", "save\ncopy ms", "save\nwrite ms", "save\nsize")
SEED_COLUMNS = ("seed", "test", "with\nTTA", "total", "load", "compile", "training", "valid-\nation", "final\ntest", "other")


def _step_row(result: StepResult) -> Sequence[str]:
    return (
        result.recipe, f"{result.batch_size:,}", _median(result.images_per_second), _median(result.plain_images_per_second),
        _flops(result.flops), _flops(result.plain_flops), _ratio(result.ratio),
    )  # fmt: skip


def _parts_row(recipe: str, parts: Parts) -> Sequence[str]:
    values = parts.augmentation_ms, parts.forward_ms, parts.backward_ms, parts.optimizer_ms, parts.other_ms, parts.step_ms
    return (recipe, *map(_number, values))


def _beside_row(result: StepResult) -> Sequence[str]:
    saving = result.checkpoint
    checkpoint = (_number(saving.copy_ms), _number(saving.write_ms), format_bytes(saving.bytes)) if saving else [NOTHING] * 3
    values = result.load_seconds, result.load_images_per_second, result.evaluation_images_per_second
    return (result.recipe, *map(_number, values), *checkpoint)


def _seed_row(seed: SeedResult) -> Sequence[str]:
    load = seed.start + seed.preparation
    seconds = seed.total, load, seed.compile, seed.training, seed.validation, seed.final, seed.other
    accuracies = format_metric("accuracy", seed.accuracy), format_metric("accuracy", seed.tta_accuracy)
    return (str(seed.seed), *accuracies, *(f"{value:,.1f}" for value in seconds))


def _means(report: TargetReport) -> Iterator[str]:
    found = {"test accuracy": (report.accuracy, 100.0, "%"), "with TTA": (report.tta_accuracy, 100.0, "%")}
    for name, (mean, factor, unit) in {**found, "total": (report.total, 1.0, "s")}.items():
        if mean:
            yield f"{name}: {_mean(mean, factor, unit)}"


def _mean(mean: Mean, factor: float, unit: str) -> str:
    deviation = "" if mean.deviation is None else f" ± {factor * mean.deviation:.2f}"
    return f"{factor * mean.mean:.2f}{deviation} {unit} (n = {mean.count})"


def _verdict(report: TargetReport) -> Iterator[str]:
    if report.reached is not None:
        by = " (with TTA)" if report.tta_accuracy else ""
        yield f"target {100 * report.target:g} %: {'reached' if report.reached else 'missed'} by the mean{by}"


def _interrupted(interrupted: bool) -> list[str]:
    return ["interrupted: this is what had been measured until then"] if interrupted else []


def _titled(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table without rows is left out."""
    if not rows:
        return []
    table = Table(box=box.SIMPLE_HEAD if _has_lines() else None, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(file=io.StringIO(), width=_width(), color_system=None)
    console.print(table)
    drawn = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    return ["", *_wrapped([title]), *(line.rstrip() for line in drawn.splitlines() if line.strip())]


def _wrapped(lines: Iterator[str] | Sequence[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(printable(line), _width(), subsequent_indent="  ")]


def _width() -> int:
    return max(NARROWEST, shutil.get_terminal_size((NARROWEST, 24)).columns)


def _has_lines() -> bool:
    """Whether the standard output has characters for lines."""
    return (sys.stdout.encoding or "").lower().startswith("utf")


def _number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def _median(spread: Spread | None) -> str:
    return _number(spread.median if spread else None)


def _flops(value: float | None) -> str:
    return NOTHING if value is None else format_count(value)


def _rate(spread: Spread | None) -> str:
    return f"{_number(spread.median)} ({_number(spread.lower)}-{_number(spread.upper)})" if spread else NOTHING


def _ratio(spread: Spread | None) -> str:
    """To three decimals near 1, where per cents are what matters."""
    if spread is None:
        return NOTHING
    digits = 3 if spread.median < 1.2 else 2
    return f"{spread.median:.{digits}f} ({spread.lower:.{digits}f}-{spread.upper:.{digits}f})"

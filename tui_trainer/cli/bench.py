"""``bench``: what this machine does with the recipes, how long an accuracy takes, what watching costs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from core.errors import UserError
from core.run.folder import runs_folder
from tui_trainer.choosing import choose
from tui_trainer.cli import options
from tui_trainer.cli.progress import Ticker
from tui_trainer.cli.say import complain, say, say_json

if TYPE_CHECKING:
    from core.bench.results import StepReport, TargetReport, WatchedReport
    from core.recipe import Recipe

    Report = StepReport | TargetReport | WatchedReport

SECONDS = 20.0
"""For a recipe's comparison; its parts, its evaluation and warming up come on top."""
WATCHED_SECONDS = 120.0
SEEDS = 5


class Asked(NamedTuple):
    threads: int | None
    json: bool
    runs: Path

    @property
    def disk(self) -> Path | None:
        """Where runs lie, so that what is written for a while is written there too; None when there are none yet."""
        return self.runs if self.runs.is_dir() else None


def bench(
    recipes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RECIPE|FILE.toml]...", help="[default: all of the package]", show_default=False),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", metavar="N", min=0.0, help="For each recipe's comparison. [default: 20; --watched: 120]"),
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", metavar="N", min=1, help="Another batch size.")] = None,
    to: Annotated[
        float | None,
        typer.Option(
            "--to", metavar="PERCENT", help="Train RECIPE [fast] for several seeds to its end: test accuracy and time."
        ),
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", metavar="N", min=1, help="With --to: so many. [default: 5]")] = None,
    watched: Annotated[
        bool, typer.Option("--watched", help="What journal and console cost a training of RECIPE [quickstart].")
    ] = False,
    threads: options.Threads = None,
    changes: options.Set = None,
    json: options.Json = False,
    runs: options.Runs = None,
) -> None:
    """Measure images/s of each recipe's step beside a plain PyTorch step of the same network, and what it is made of."""
    from core.run.session import check_threads

    _check(to is not None, watched, recipes or [], seconds, seeds)
    check_threads(threads)
    asked = Asked(threads, json, runs_folder(runs))
    overrides = [*(changes or []), *([] if batch is None else [f"batch_size={batch}"])]
    if to is not None:
        _to(choose((recipes or ["fast"])[0], overrides), to / 100, seeds or SEEDS, asked)
    elif watched:
        _watched(choose((recipes or ["quickstart"])[0], overrides), WATCHED_SECONDS if seconds is None else seconds, asked)
    else:
        from core.recipe import names

        _steps([choose(name, overrides) for name in recipes or names()], SECONDS if seconds is None else seconds, asked)


def _check(to: bool, watched: bool, recipes: Sequence[str], seconds: float | None, seeds: int | None) -> None:
    """Raises UserError for options that contradict each other."""
    if to and watched:
        raise UserError("--to and --watched exclude each other; leave one out")
    if to and seconds is not None:
        raise UserError("--seconds does not go with --to, whose trainings last as long as their recipe says; leave one out")
    if seeds is not None and not to:
        raise UserError("--seeds goes with --to PERCENT; add it, for instance --to 94")
    if (to or watched) and len(recipes) > 1:
        raise UserError(f"{'--to' if to else '--watched'} takes one recipe, {len(recipes)} are given")


def _steps(recipes: Sequence[Recipe], seconds: float, asked: Asked) -> None:
    from core.bench.machine import machine
    from core.bench.results import StepReport
    from core.bench.step import measure
    from tui_trainer.bench_report import step_lines

    report = StepReport(machine=machine(asked.threads))
    with _showing(report, asked.json, lambda: step_lines(report) if report.recipes else []) as ticker:
        for recipe in recipes:
            measure(recipe, seconds, asked.threads, asked.disk, ticker, report.recipes)


def _watched(recipe: Recipe, seconds: float, asked: Asked) -> None:
    from core.bench.machine import machine
    from core.bench.results import WatchedReport
    from core.bench.watched import measure
    from tui_trainer.bench_report import watched_lines

    def attach(run: Path) -> list[str]:
        return [sys.executable, "-P", "-m", "tui_trainer", "attach", str(run)]

    report = WatchedReport(machine=machine(asked.threads))
    with _showing(report, asked.json, lambda: watched_lines(report) if report.alone else []) as ticker:
        measure(recipe, seconds, asked.threads, asked.disk, attach, ticker, report)


def _to(recipe: Recipe, target: float, seeds: int, asked: Asked) -> None:
    if not 0.01 < target <= 1:
        raise UserError(f"--to {100 * target:g}: expected a test accuracy in per cent, above 1 and at most 100, such as 94")
    from core.bench.machine import machine
    from core.bench.results import TargetReport
    from core.bench.target import run_seeds
    from tui_trainer.bench_report import target_lines

    report = TargetReport(machine=machine(asked.threads), recipe=recipe.name, target=target, wanted_seeds=seeds)
    with _showing(report, asked.json, lambda: target_lines(report) if report.seeds else []) as ticker:
        for result in run_seeds(recipe, seeds, asked.runs, asked.threads, ticker):
            report.add(result)
    sys.exit(0 if report.reached else 1)


@contextmanager
def _showing(report: Report, json: bool, lines: Callable[[], list[str]]) -> Iterator[Ticker]:
    """Print what there is of a report (``lines`` gives none for nothing), also when it ends in an error. An interrupt ends
    the process with the status of its signal."""
    ticker, before = Ticker(), {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    status = 0
    try:
        yield ticker
    except KeyboardInterrupt as interrupt:
        report.interrupted, status = True, 128 + interrupt.args[0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        ticker.close()
        if found := lines():
            say_json(report) if json else say(*found)
    if status:
        if not found:
            complain("interrupted before anything was measured")
        sys.exit(status)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)

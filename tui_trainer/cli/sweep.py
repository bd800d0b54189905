"""``sweep``: many runs of one recipe, each with other values of some keys."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import UserError
from core.run.folder import runs_folder
from tui_trainer.cli import options, require

if TYPE_CHECKING:
    from pathlib import Path

    from core.recipe import Recipe
    from core.sweep.folder import SweepFile, SweepFolder

TIMES = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
TIME = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+) *([a-z]*)")


class Sampler(StrEnum):
    tpe = "tpe"
    random = "random"
    grid = "grid"


class Pruner(StrEnum):
    median = "median"
    hyperband = "hyperband"
    none = "none"


Base = Annotated[str | None, typer.Argument(metavar="RECIPE|FILE.toml", help="See: tui-trainer recipes", show_default=False)]
Search = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="key.path=VALUES",
        help="What is searched: log:1e-4..1e-1, 0.0..0.5, 0.1..0.5/0.1 (in steps), 1..10, adam|sgd. Or one value, as in train. "
        "May be repeated.",
    ),
]
Trials = Annotated[int | None, typer.Option("--trials", metavar="N", min=1, help="How many. [default: 20; all of a grid]")]
Metric = Annotated[
    str, typer.Option("--metric", metavar="NAME", help="val.accuracy or val.loss. [default: what the recipe watches]")
]
Prune = Annotated[
    Pruner | None, typer.Option("--prune", help="By what a trial is stopped that promises nothing. [default: median]")
]
Propose = Annotated[Sampler | None, typer.Option("--sampler", help="How values are proposed. [default: tpe]")]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="TIME", help="Stop after 90m, 2h or 1d, with a checkpoint; --resume goes on."),
]
Resume = Annotated[str | None, typer.Option("--resume", metavar="NAME", help="Go on with a sweep.")]
Stop = Annotated[str | None, typer.Option("--stop", metavar="NAME", help="End a sweep; its trial is saved.")]
Detach = Annotated[bool, typer.Option("--detach", help="Leave the sweep to itself and come back at once.")]
Show = Annotated[str | None, typer.Option("--show", metavar="NAME", help="Look at a sweep in the console.")]


def sweep(
    recipe: Base = None,
    search: Search = None,
    trials: Trials = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Of the sweep, which its runs are called by.")
    ] = None,
    metric: Metric = "",
    prune: Prune = None,
    sampler: Propose = None,
    timeout: Timeout = None,
    resume: Resume = None,
    show: Show = None,
    stop: Stop = None,
    detach: Detach = False,
    data: options.DataSet = None,
    epochs: Annotated[int | None, typer.Option("--epochs", metavar="N", min=1, help="Length of each run.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Of proposals and trainings.")] = None,
    device: options.Device = None,
    threads: options.Threads = None,
    required: options.Require = None,
    json: Annotated[bool, typer.Option("--json", help="Print what happens, one JSON object a line.")] = False,
    quiet: options.Quiet = False,
    runs: options.Runs = None,
) -> None:
    """Search for the best values of a recipe's keys: one run after the other, by held-out images. Ctrl-C stops it with a
    checkpoint; the same command, or --resume NAME, goes on to the same bits."""
    folder = runs_folder(runs)
    _check_one_thing(recipe, resume, show, stop)
    _check_clashes(json, quiet, detach, required)
    if show is not None:
        _look(show, runs)
        return
    if stop is not None:
        _stop(stop, folder)
        return
    seconds, requirements = _seconds(timeout), require.parse(required or [])
    if resume is not None:
        given = (search, name, metric, prune, sampler, data, epochs, seed, device, threads)
        found, file = _resumed(resume, folder, trials, given)
    else:
        from core.sweep import beginning
        from core.sweep.space import divided

        fixed, space = divided(search or [])
        settings = {"epochs": epochs, "seed": seed, "device": device}
        fixed = [*(f"{key}={value}" for key, value in settings.items() if value is not None), *fixed]
        base = _loaded(recipe or "", fixed, data)
        require.check(requirements, base)
        sampler, prune = sampler or Sampler.tpe, prune or Pruner.median
        wish = beginning.Wish(base, space, metric, trials, sampler.value, prune.value, threads)
        file = beginning.described(wish)
        found, file = beginning.begun(file, name, folder)
    if detach:
        _detach(found, timeout)
        return
    from tui_trainer.cli.sweep_process import conduct

    conduct(found, file, seconds, "json" if json else "quiet" if quiet else "lines", requirements)


def _check_one_thing(*given: str | None) -> None:
    if sum(item is not None for item in given) != 1:
        raise UserError("expected one of: a recipe, --resume NAME, --show NAME, --stop NAME; see: tui-trainer sweep --help")


def _check_clashes(json: bool, quiet: bool, detach: bool, required: list[str] | None) -> None:
    clashes = [("--json", json, "--quiet", quiet), ("--detach", detach, "--json", json)]
    for one, has_one, other, has_other in [*clashes, ("--detach", detach, "--require", bool(required))]:
        if has_one and has_other:
            raise UserError(f"{one} and {other} exclude each other; leave one out")


def _look(name: str, runs: Path | None) -> None:
    """In the console, or as text where there is no terminal."""
    from core.sweep.folder import find

    found = find(name, runs_folder(runs))
    if sys.stdin.isatty() and sys.stdout.isatty():
        from tui_trainer.cli import opening

        opening.open_console(runs, sweep=found)
    else:
        from tui_trainer.cli import sweep_report
        from tui_trainer.cli.say import say

        say(*sweep_report.lines(found))


def _stop(name: str, runs: Path) -> None:
    from core.sweep.folder import find
    from tui_trainer.cli.say import say

    found = find(name, runs)
    found.ask_to_stop()
    say(f"{found.name} ends once its trial is saved")


def _detach(folder: SweepFolder, timeout: str | None) -> None:
    """A process of its own goes on with it."""
    from tui_trainer.cli.say import say
    from tui_trainer.cli.sweep_process import begin, ways_to

    begin(folder, timeout)
    say(folder.name, *ways_to(folder))


def _loaded(recipe: str, fixed: Sequence[str], data: str | None) -> Recipe:
    from tui_trainer.choosing import choose

    return choose(recipe, fixed, data)


def _resumed(name: str, runs: Path, trials: int | None, given: Sequence[object]) -> tuple[SweepFolder, SweepFile]:
    from core.sweep import beginning
    from core.sweep.folder import find

    if any(item not in (None, "", []) for item in given):
        raise UserError("--resume goes on with what was asked for; beside it only --trials and --timeout can be given")
    folder = find(name, runs)
    return folder, beginning.resumed(folder, trials)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = TIME.fullmatch(text.strip())
    scale = TIMES.get(match[2]) if match else None
    if match is None or scale is None or not float(match[1]):
        raise UserError(f"--timeout {text!r}: expected a time, as in 90m, 2h or 1d")
    return float(match[1]) * scale

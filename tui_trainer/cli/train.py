"""``train`` and ``resume``: the console's work without the console."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import UserError
from core.run.folder import RunFolder, busy, check_name, find, reference, runs_folder
from tui_trainer.choosing import choose
from tui_trainer.cli import options, require
from tui_trainer.cli.say import complain, say

if TYPE_CHECKING:
    from core.view.state import State
    from tui_trainer.cli.require import Requirement
    from tui_trainer.plain import Form


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE|FILE.toml", help="See: tui-trainer recipes", show_default=False)],
    data: options.DataSet = None,
    model: options.Model = None,
    weights: options.BeginFrom = None,
    epochs: Annotated[int | None, typer.Option("--epochs", metavar="N", min=1, help="Length of the run.")] = None,
    changes: options.Set = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the run.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Seed of all random draws.")] = None,
    device: options.Device = None,
    threads: options.Threads = None,
    detach: options.Detach = False,
    foreground: options.Foreground = None,
    required: options.Require = None,
    notify: options.Notify = None,
    json: options.JournalLines = False,
    quiet: options.Quiet = False,
    runs: options.Runs = None,
) -> None:
    """Start a new training and watch it. Ctrl-C saves and ends it; a second one ends it at once."""
    from core.run import session
    from tui_trainer.cli.weights import weights_of

    form, tied, requirements = _watching(json, quiet, detach, foreground, required)
    if name is not None:
        check_name(name)  # before the model is looked at, which takes seconds the first time
    begin_from = None if weights is None else weights_of(weights, "best", runs)[0]
    chosen = choose(recipe, changes or (), data, model, begin_from, epochs=epochs, seed=seed, device=device)
    require.check(requirements, chosen.monitor)
    run = session.create(chosen, runs_folder(runs), name, threads, code=Path.cwd())
    try:
        _go(run, form, detach, requirements, tied=tied, threads=threads, notify=notify)
    except UserError:
        session.remove_unbegun(run)
        raise


def resume(
    run: options.Run,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", metavar="N", min=1, help="Another length; a cosine anneals anew over what remains."),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option("--from", metavar="CHECKPOINT", help="last, best, step-N or a name; what came after it is taken back."),
    ] = None,
    allow_change: Annotated[
        list[str] | None,
        typer.Option("--allow-change", metavar="recipe|data|weights", help="Go on although this changed. May be repeated."),
    ] = None,
    model: options.OwnModel = None,
    device: options.Device = None,
    threads: options.Threads = None,
    detach: options.Detach = False,
    foreground: options.Foreground = None,
    required: options.Require = None,
    notify: options.Notify = None,
    json: options.JournalLines = False,
    quiet: options.Quiet = False,
    runs: options.Runs = None,
) -> None:
    """Go on with a run from its last checkpoint, or --from another one. A finished run stays as it is unless --epochs asks for
    more, or --from for an earlier place. A --notify of before is not kept: give it again."""
    from core.recipe import from_table
    from core.run import program, session
    from core.run.checkpoints import choose

    form, tied, requirements = _watching(json, quiet, detach, foreground, required)
    folder = find(run, runs_folder(runs))
    program.refuse(folder)
    require.check(requirements, from_table(folder.read().recipe).monitor)
    if folder.alive():
        raise busy(folder)
    if checkpoint is not None:
        choose(folder.checkpoints, checkpoint)  # before a worker is started for nothing
    elif session.nothing_to_do(folder, epochs):
        _show_finished(folder, form, requirements)
    _go(
        folder, form, detach, requirements,
        tied=tied, epochs=epochs, checkpoint=checkpoint, allow_change=allow_change or (), device=device, threads=threads,
        notify=notify, model=model,
    )  # fmt: skip


def _watching(
    json: bool, quiet: bool, detach: bool, foreground: bool | None, required: list[str] | None
) -> tuple[Form, bool, list[Requirement]]:
    """How to print, whether the worker is tied to this process, what is required; raises UserError for contradictions."""
    clashes = [("--json", json, "--quiet", quiet), ("--detach", detach, "--foreground", bool(foreground))]
    clashes += [("--detach", detach, "--require", bool(required)), ("--detach", detach, "--json", json)]
    for one, has_one, other, has_other in clashes:
        if has_one and has_other:
            raise UserError(f"{one} and {other} exclude each other; leave one out")
    tied = bool(os.environ.get("CI")) and not detach if foreground is None else foreground
    return "json" if json else "quiet" if quiet else "lines", tied, require.parse(required or [])


def _go(
    run: RunFolder,
    form: Form,
    detach: bool,
    requirements: Sequence[Requirement],
    *,
    tied: bool,
    **options: Any,
) -> None:
    """``options`` are those of :func:`core.run.session.start`."""
    from core.run import session
    from tui_trainer.follow import Worker, follow, launch_only
    from tui_trainer.plain import output

    def launch() -> Worker:
        return session.start(run, tied=tied, **options)

    if detach:
        launch_only(run, launch)
        say(run.name, f"look at it with: tui-trainer attach {reference(run)}")
        return
    ended = follow(run, partial(output, form), launch)
    _leave(ended.status, requirements, ended.state)


def _show_finished(run: RunFolder, form: Form, requirements: Sequence[Requirement]) -> None:
    from core.view.summary import summarise
    from tui_trainer.result import result_lines

    state = summarise(run)
    if form != "json":
        say(*result_lines(run, state), "nothing to do; --epochs N asks for more")
    _leave(0, requirements, state)


def _leave(status: int, requirements: Sequence[Requirement], state: State) -> None:
    """Ends the process: with 1 when all went well but a requirement does not hold."""
    missed = require.unmet(requirements, state) if status == 0 else []
    for words in missed:
        complain(words)
    sys.exit(1 if missed else status)

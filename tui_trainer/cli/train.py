"""``train`` and ``resume``: the console's work without the console."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NoReturn

import typer

from core.errors import UserError
from core.run.folder import RunFolder, busy, check_name, find, reference, runs_folder
from tui_trainer.choosing import choose
from tui_trainer.cli import options, require
from tui_trainer.cli.conclude import check_junit, conclude
from tui_trainer.cli.say import complain, say

if TYPE_CHECKING:
    from core.view.state import State
    from tui_trainer.cli.require import Requirement
    from tui_trainer.forwarding.followers import Waited
    from tui_trainer.plain import Form
    from tui_trainer.trackers import Wanted


class Asked(NamedTuple):
    """What is done with a session and at its end, beside training."""

    requirements: list[Requirement]
    junit: Path | None
    trackers: Sequence[Wanted] = ()

    def look_at(self, state: State) -> None:
        """Raises UserError as soon as the data tell that something which is required will not be measured."""
        require.check_data(self.requirements, state)


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
    nproc: options.Processes = None,
    max_restarts: options.Restarts = None,
    create: options.Create = False,
    detach: options.Detach = False,
    foreground: options.Foreground = None,
    required: options.Require = None,
    junit: options.Junit = None,
    notify: options.Notify = None,
    log: options.Log = None,
    json: options.JournalLines = False,
    quiet: options.Quiet = False,
    runs: options.Runs = None,
) -> None:
    """Start a new training and watch it. Ctrl-C saves and ends it; a second one ends it at once."""
    from core.run import session
    from core.run.named_weights import weights_of

    form, tied = _watching(json, quiet, detach, foreground, bool(required), junit is not None)
    asked = Asked(require.parse(required or []), junit, _trackers(log))
    if name is not None:
        check_name(name)  # before the model is looked at, which takes seconds the first time
    begin_from = None if weights is None else weights_of(weights, "best", runs).weights
    chosen = choose(recipe, changes or (), data, model, begin_from, epochs=epochs, seed=seed, device=device)
    require.check(asked.requirements, chosen)
    check_junit(junit)
    run = session.create(chosen, runs_folder(runs), name, threads, code=Path.cwd())
    if create:
        say(str(run.path.absolute()))
        return
    try:
        _go(
            run, form, detach, asked,
            tied=tied, threads=threads, notify=notify, nproc=nproc, max_restarts=max_restarts,
        )  # fmt: skip
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
        typer.Option(
            "--allow-change", metavar="recipe|data|weights|world_size", help="Go on although this changed. May be repeated."
        ),
    ] = None,
    model: options.OwnModel = None,
    device: options.Device = None,
    threads: options.Threads = None,
    nproc: options.Processes = None,
    max_restarts: options.Restarts = None,
    detach: options.Detach = False,
    foreground: options.Foreground = None,
    required: options.Require = None,
    junit: options.Junit = None,
    notify: options.Notify = None,
    log: options.Log = None,
    json: options.JournalLines = False,
    quiet: options.Quiet = False,
    runs: options.Runs = None,
) -> None:
    """Go on with a run from its last checkpoint, or --from another one. A finished run stays as it is unless --epochs asks for
    more, or --from for an earlier place. A --notify or a --log of before is not kept: give it again."""
    from core.run import program, session
    from core.run.checkpoints import choose

    form, tied = _watching(json, quiet, detach, foreground, bool(required), junit is not None)
    asked = Asked(require.parse(required or []), junit, _trackers(log))
    folder = find(run, runs_folder(runs))
    program.refuse(folder)
    _check(asked, folder)
    if folder.alive():
        raise busy(folder)
    if checkpoint is not None:
        choose(folder.checkpoints, checkpoint)  # before a worker is started for nothing
    elif session.nothing_to_do(folder, epochs):
        _show_finished(folder, form, asked)
    _go(
        folder, form, detach, asked,
        tied=tied, epochs=epochs, checkpoint=checkpoint, allow_change=allow_change or (), device=device, threads=threads,
        notify=notify, model=model, nproc=nproc, max_restarts=max_restarts,
    )  # fmt: skip


def _check(asked: Asked, run: RunFolder) -> None:
    """Raises UserError for what will not be measured of this run, and for a report that cannot be written."""
    from core.recipe import from_table
    from core.view.summary import summarise

    require.check(asked.requirements, from_table(run.read().recipe))
    if asked.requirements:
        asked.look_at(summarise(run))
    check_junit(asked.junit)


def _watching(json: bool, quiet: bool, detach: bool, foreground: bool | None, required: bool, junit: bool) -> tuple[Form, bool]:
    """How to print, and whether the worker is tied to this process; raises UserError for contradictions."""
    clashes = [("--json", json, "--quiet", quiet), ("--detach", detach, "--foreground", bool(foreground))]
    at_its_end = (("--require", required), ("--json", json), ("--junit", junit))
    clashes += [("--detach", detach, other, has_other) for other, has_other in at_its_end]
    for one, has_one, other, has_other in clashes:
        if has_one and has_other:
            raise UserError(f"{one} and {other} exclude each other; leave one out")
    tied = bool(os.environ.get("CI")) and not detach if foreground is None else foreground
    return "json" if json else "quiet" if quiet else "lines", tied


def _trackers(texts: list[str] | None) -> list[Wanted]:
    """Raises UserError for one that there is not, or whose library is missing."""
    if not texts:
        return []
    from tui_trainer import trackers

    return trackers.parse_all("--log", texts)


def _go(
    run: RunFolder,
    form: Form,
    detach: bool,
    asked: Asked,
    *,
    tied: bool,
    **options: Any,
) -> None:
    """``options`` are those of :func:`core.run.session.start`."""
    from core.run import session
    from tui_trainer.cli.progress import Ticker
    from tui_trainer.follow import follow, launch_only
    from tui_trainer.forwarding.followers import Followers
    from tui_trainer.plain import output

    followers = Followers(run, asked.trackers)
    launch = partial(followers.launched, partial(session.start, run, tied=tied, **options), complain)
    if detach:
        launch_only(run, launch)
        say(run.name, f"look at it with: tui-trainer attach {reference(run)}")
        return
    ended = follow(run, partial(output, form), launch, asked.look_at)
    with closing(Ticker(form != "quiet")) as ticker:
        waited = followers.wait(tied, ticker)
    _tell(waited, form)
    _leave(run, ended.state, ended.status, asked)


def _tell(waited: Waited, form: Form) -> None:
    for words in waited.troubles:
        complain(words)
    if form == "lines":
        say(*(f"next: {hint}" for hint in waited.hints))


def _show_finished(run: RunFolder, form: Form, asked: Asked) -> None:
    from core.view import whole
    from tui_trainer.result import result_lines

    state = whole.look(run)
    if form != "json":
        say(*result_lines(run, state), "nothing to do; --epochs N asks for more")
    _leave(run, state, 0, asked)


def _leave(run: RunFolder, state: State, status: int, asked: Asked) -> NoReturn:
    from tui_trainer.reporting.outcome import judged, of_run

    verdicts = judged(state, status, asked.requirements)
    conclude(status, verdicts, asked.junit, lambda: of_run(run, state, status, asked.requirements))

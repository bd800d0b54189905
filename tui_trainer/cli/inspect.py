"""Looking at runs on disk: ``runs``, ``show``, ``verify``, ``repair``."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import UserError
from core.run.folder import find, list_runs, runs_folder
from tui_trainer.cli import options, require
from tui_trainer.cli.conclude import check_junit, conclude
from tui_trainer.cli.say import say, say_json, table

if TYPE_CHECKING:
    from pathlib import Path

    from core.run.folder import RunFolder
    from core.run.verify import Finding
    from core.view.state import State
    from tui_trainer.cli.require import Requirement
    from tui_trainer.listing import ListedRun

FILTERED = (
    "Only those that match: 'fast acc>0.9 !paused #tag recipe:seed'. To compare: acc, val, test, loss, epoch, params, "
    "size (500MB), age, active, length and left (10m, 2h, 3d)."
)


def runs(
    filter: Annotated[str, typer.Option("--filter", metavar="TEXT", help=FILTERED)] = "",
    sort: Annotated[str, typer.Option("--sort", metavar="COLUMN", help="name, best, size, age ...; -best the other way.")] = "",
    runs: options.Runs = None,
    json: options.Json = False,
    host: Annotated[str, typer.Option("--host", metavar="HOST[/DIR]", help="Those of another machine, over SSH.")] = "",
    remote_command: options.RemoteCommand = "",
) -> None:
    """List the runs, the latest first."""
    if host:
        from tui_trainer.cli.remote import list_runs_of

        list_runs_of(host, runs, {"--filter": filter, "--sort": sort}, json, remote_command)
    from tui_trainer import run_rows

    folder = runs_folder(runs)
    found = _listed(folder, filter, sort)
    if json:
        say_json([run_rows.listed(item) for item in found])
    elif found:
        head = ("RUN", "STATE", "RECIPE", "EPOCH", "BEST", "LAST ACTIVITY", "TAGS")
        rows = [head, *map(run_rows.row, found)]
        say(*table(rows if any(item.tags for item in found) else [row[:-1] for row in rows]))
    elif list_runs(folder):
        say(f"no run in {folder} matches")
    else:
        say(f"no runs in {folder}; start one with: tui-trainer train quickstart")


def _listed(folder: Path, filter: str, sort: str) -> list[ListedRun]:
    """Those that match, in the order that was asked for. Raises UserError."""
    from tui_trainer import run_filter
    from tui_trainer.listing import Listing, latest_first
    from tui_trainer.run_facts import ORDERS, Order, chosen

    by = sort.removeprefix("-")
    if sort and by not in ORDERS:
        raise UserError(f"--sort {sort!r}: expected one of {', '.join(ORDERS)}, with a '-' before it for the other way")
    wanted, found = run_filter.parse(filter), latest_first(Listing(folder).scan(math.inf))
    return chosen(found, time.time(), wanted, Order(by, sort.startswith("-")))


def show(
    run: options.Run,
    required: options.Require = None,
    junit: options.Junit = None,
    runs: options.Runs = None,
    json: options.Json = False,
) -> None:
    """Show how a run stands. With --require or --junit its exit status is that of its training, also of one in a loop of your
    own."""
    from core.view import whole
    from tui_trainer import run_rows

    requirements, folder = require.parse(required or []), find(run, runs_folder(runs))
    state = whole.look(folder)
    asked = bool(requirements) or junit is not None
    if asked:
        _check_ended(folder, state)
        _check_required(requirements, state)
        check_junit(junit)
    if json:
        saved = run_rows.checkpoints(folder)
        say_json({**run_rows.brief(folder, state), **run_rows.details(folder, state), "checkpoints": saved})
    else:
        _say_state(folder, state)
    if asked:
        from tui_trainer.reporting.outcome import FAILED, judged, of_run

        status = FAILED if state.status in ("failed", "lost") else 0
        verdicts = judged(state, status, requirements)
        conclude(status, verdicts, junit, lambda: of_run(folder, state, status, requirements))


def _check_ended(run: RunFolder, state: State) -> None:
    """Raises UserError for a run whose result is not there yet."""
    if not state.ended and state.status != "watched":
        raise UserError(f"run '{run.name}' has not ended ({state.status}): ask for its result once it has")


def _check_required(requirements: Sequence[Requirement], state: State) -> None:
    """Raises UserError for a class that the run does not have. A metric may be any that a program tells."""
    found = require.measured(state)
    if state.classes:
        require.check_classes([item for item in requirements if item.metric not in found], state.classes)


def _say_state(folder: RunFolder, state: State) -> None:
    from core.view import readings
    from tui_trainer import result, run_rows

    saved = run_rows.checkpoints(folder)
    say(*table([(name, value) for name, value in run_rows.facts(folder, state) if value]))
    if ranks := run_rows.rank_rows(state):
        say("", *table(ranks))
    for measurement in state.measurements.values():
        weights = readings.weights_measured(state, measurement)
        head = f"{measurement.split}, {weights}" if weights else f"{measurement.split} after epoch {measurement.epoch}"
        say("", head, *result.class_lines(measurement))
        say(*result.confusion_lines(measurement))
    if saved:
        say("", *table([("CHECKPOINT", "EPOCH", "NAME", ""), *map(run_rows.checkpoint_row, saved)]))


def verify(run: options.Run, runs: options.Runs = None, json: options.Json = False) -> None:
    """Check a whole run. Exit status 1 when something in it is damaged."""
    from core.run.verify import verify

    findings = verify(find(run, runs_folder(runs)))
    if json:
        say_json(findings)
    else:
        say(*_finding_lines(findings))
    sys.exit(0 if all(item.good for item in findings) else 1)


def repair(run: options.Run, runs: options.Runs = None, json: options.Json = False) -> None:
    """Set what is damaged aside, so that the run can go on. Exit status 1 when that does not make it whole."""
    from core.run.repair import repair
    from core.run.verify import verify

    folder = find(run, runs_folder(runs))
    done = repair(folder)
    findings = verify(folder)
    bad = [item for item in findings if not item.good]
    if json:
        say_json({"done": done, "findings": findings})
    else:
        say(*(done or ["nothing that can be mended" if bad else "nothing to do"]), *_finding_lines(bad))
    sys.exit(1 if bad else 0)


def _finding_lines(findings: Sequence[Finding]) -> list[str]:
    return table([(item.item, "good" if item.good else "BAD", item.text) for item in findings])

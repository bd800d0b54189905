"""Looking at runs on disk: ``runs``, ``show``, ``verify``."""

from __future__ import annotations

import sys

from core.run.folder import find, list_runs, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.say import say, say_json, table


def runs(runs: options.Runs = None, json: options.Json = False) -> None:
    """List the runs, the latest first."""
    from tui_trainer import report

    folder = runs_folder(runs)
    found = [(run, report.look(run)) for run in list_runs(folder)]
    if json:
        say_json([report.brief(run, state) for run, state in found])
    elif found:
        head = ("RUN", "STATE", "RECIPE", "EPOCH", "BEST", "LAST ACTIVITY")
        say(*table([head, *(report.row(run, state) for run, state in found)]))
    else:
        say(f"no runs in {folder}; start one with: tui-trainer train quickstart")


def show(run: options.Run, runs: options.Runs = None, json: options.Json = False) -> None:
    """Show how a run stands."""
    from tui_trainer import report, result

    folder = find(run, runs_folder(runs))
    state, saved = report.look(folder), report.checkpoints(folder)
    if json:
        say_json({**report.brief(folder, state), **report.details(state), "checkpoints": saved})
        return
    say(*table([(name, value) for name, value in report.facts(folder, state) if value]))
    for measurement in state.measurements.values():
        say("", f"{measurement.split} after epoch {measurement.epoch}", *result.class_lines(measurement))
    if saved:
        say("", *table([("CHECKPOINT", "EPOCH", "NAME", ""), *map(report.checkpoint_row, saved)]))


def verify(run: options.Run, runs: options.Runs = None, json: options.Json = False) -> None:
    """Check every checkpoint. Exit status 1 when one is damaged."""
    from core.run import checkpoints

    findings = checkpoints.verify(find(run, runs_folder(runs)))
    if json:
        say_json(findings)
    else:
        rows = [(item.item, "good" if item.good else "BAD", item.text) for item in findings]
        say(*(table(rows) if rows else ["no checkpoints"]))
    sys.exit(0 if all(item.good for item in findings) else 1)

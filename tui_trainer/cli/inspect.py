"""Looking at runs on disk: ``runs``, ``show``, ``verify``, ``repair``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.run.folder import find, list_runs, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.say import say, say_json, table

if TYPE_CHECKING:
    from core.run.verify import Finding


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
        say_json({**report.brief(folder, state), **report.details(folder, state), "checkpoints": saved})
        return
    say(*table([(name, value) for name, value in report.facts(folder, state) if value]))
    for measurement in state.measurements.values():
        say("", f"{measurement.split} after epoch {measurement.epoch}", *result.class_lines(measurement))
        say(*result.confusion_lines(measurement))
    if saved:
        say("", *table([("CHECKPOINT", "EPOCH", "NAME", ""), *map(report.checkpoint_row, saved)]))


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
        say(*(done or ["nothing to do"]), *_finding_lines(bad))
    sys.exit(1 if bad else 0)


def _finding_lines(findings: Sequence[Finding]) -> list[str]:
    return table([(item.item, "good" if item.good else "BAD", item.text) for item in findings])

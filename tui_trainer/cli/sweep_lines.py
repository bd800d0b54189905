"""A sweep under way in lines, one for each epoch and each trial; or as JSON, or only what it came to."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec

from core.sweep import told
from core.sweep.folder import SweepFile, SweepFolder, reference
from core.sweep.trials import Trial, value_words, values_words
from core.view.words import count, format_duration, format_metric
from tui_trainer.plain import Form
from tui_trainer.stream import write_json, write_lines


class Printer:
    def __init__(self, folder: SweepFolder, file: SweepFile, form: Form) -> None:
        self.folder, self.file, self.form = folder, file, form

    def say(self, what: told.AnyTold) -> None:
        if self.form == "json":
            write_json(sys.stdout.buffer, msgspec.json.encode(what) + b"\n")
        elif self.form == "lines" or isinstance(what, told.SweepEnded):
            write_lines(sys.stdout, list(self._lines(what)))

    def _lines(self, what: told.AnyTold) -> Iterator[str]:
        match what:
            case told.SweepStarted():
                yield from opening(self.file, what.done)
            case told.TrialStarted(trial=trial, resumed=resumed):
                goes_on = " goes on" if resumed else ""
                yield f"trial {self._place(trial)}, run {trial.run}{goes_on}: {values_words(trial.values)}"
            case told.TrialMeasured():
                width = len(str(what.epochs))
                value = format_metric(self.file.metric, what.value)
                yield f"  epoch {what.epoch:{width}d}/{what.epochs}  {self.file.metric} {value}"
            case told.TrialEnded(trial=trial, best=best):
                yield f"trial {self._place(trial)} {ending(trial, self.file.metric)}{', the best so far' if best else ''}"
            case told.SweepEnded():
                yield from closing(self.folder, self.file, what)

    def _place(self, trial: Trial) -> str:
        return f"{trial.number}/{self.file.trials}"


def opening(file: SweepFile, done: int) -> Iterator[str]:
    pruned = "nothing pruned" if file.prune == "none" else f"pruned by {file.prune}"
    trials, recipe = count(file.trials, "trial"), file.recipe.get("name", "")
    yield f"sweep {file.name}: recipe {recipe}, {trials} by {file.sampler}, best {file.metric}, {pruned}, seed {file.seed}"
    yield from (f"  {key}: {dimension}" for key, dimension in file.space.items())
    if done:
        yield f"goes on after {count(done, 'trial')}"


def ending(trial: Trial, metric: str) -> str:
    """``finished: val.loss 1.2345 at epoch 7, 45 s of training``."""
    if trial.state == "finished":
        return f"finished: {value_words(trial, metric)}, {format_duration(trial.seconds)} of training"
    return f"{trial.state}: {trial.note}" if trial.note else trial.state


def closing(folder: SweepFolder, file: SweepFile, end: told.SweepEnded) -> Iterator[str]:
    if end.reason:
        go_on = f"; go on with: tui-trainer sweep --resume {reference(folder)}"
        yield f"ended after {end.trials} of {count(file.trials, 'trial')}: {end.reason}{go_on}"
    if end.best:
        yield f"best of {count(end.trials, 'trial')}: {value_words(end.best, file.metric)}, trial {end.best.number}"
        yield from (f"  {key}={dimension.text(end.best.values[key])}" for key, dimension in file.space.items())
        yield f"its run: {folder.run(end.best.run).path}"
    if end.importances:
        yield f"what matters: {shares(end.importances)}"
    yield f"next: tui-trainer sweep --show {reference(folder)}"


def shares(importances: dict[str, float]) -> str:
    """``optimizer.lr 82 %, batch_size 18 %``."""
    return ", ".join(f"{key} {100 * share:.0f} %" for key, share in sorted(importances.items(), key=lambda item: -item[1]))

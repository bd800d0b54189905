"""Measuring saved weights: ``evaluate``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from core.run.named_weights import model_of, weights_of
from core.view.words import format_metric
from tui_trainer.cli import options, require
from tui_trainer.cli.conclude import check_junit, conclude
from tui_trainer.cli.progress import Ticker
from tui_trainer.cli.say import say, say_json, table
from tui_trainer.reporting import outcome

if TYPE_CHECKING:
    from core import Evaluation


def evaluate(
    target: options.Weights,
    checkpoint: options.CheckpointName = "best",
    data: options.DataSet = None,
    device: options.Device = None,
    threads: options.Threads = None,
    model: options.OwnModel = None,
    required: options.Require = None,
    junit: options.Junit = None,
    json: options.Json = False,
    runs: options.Runs = None,
) -> None:
    """Measure saved weights on a test split."""
    requirements = require.parse(required or [])
    require.check_evaluated(requirements, outcome.EVALUATED)
    weights, code, _ = weights_of(target, checkpoint, runs)
    settings = options.data_of(data)
    check_junit(junit)
    import core

    ticker, started = Ticker(), time.monotonic()
    try:
        found = core.evaluate(weights, settings, device or "auto", threads, ticker, **model_of(model, code))
    finally:
        ticker.close()
    require.check_classes(requirements, list(found.accuracy_by_class))
    if json:
        say_json(found)
    else:
        _say_evaluation(found)
    told = outcome.of_evaluation(found, target, time.monotonic() - started, requirements)
    conclude(0, told.verdicts, junit, lambda: told)


def _say_evaluation(found: Evaluation) -> None:
    rows = [(name, format_metric("accuracy", accuracy)) for name, accuracy in found.accuracy_by_class.items()]
    say(*table(rows, right=(1,)))
    accuracy = format_metric("accuracy", found.accuracy)
    say(f"accuracy {accuracy}, loss {format_metric('loss', found.loss)} on {found.images:,} images ({found.checkpoint})")

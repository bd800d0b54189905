"""MLflow: a store beside the runs, or the server or store of MLFLOW_TRACKING_URI. Nothing is asked of a person."""

from __future__ import annotations

import math
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from core.errors import UserError
from core.run.folder import RunFolder
from tui_trainer.groups import in_groups
from tui_trainer.trackers import _matrix as matrix
from tui_trainer.trackers._base import About, Confusion, Ending, Point, Tracker, masked

EXPERIMENT = "tui-trainer"
FILE = "sqlite:///"
ADDRESS = re.compile(r"[a-z][a-z0-9+-]*:|databricks(-uc)?$", re.ASCII)
RUN = re.compile(r"[0-9a-zA-Z-]{8,64}")
MOST_METRICS, MOST_PARAMS = 1000, 100
"""In one request."""
LARGEST = 1.7976931348623157e308
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING", "GIT_PYTHON_REFRESH": "quiet"}


class MLflow(Tracker):
    """Metrics have the times and steps of the run's own events, by which MLflow knows those that it has already. Its history
    forgets nothing: what a rewind took back stays, and the tag ``rewound`` says so."""

    LIBRARY: ClassVar[str] = "mlflow"
    PLACE: ClassVar[str] = "ADDRESS"

    def __init__(self, about: About, place: str) -> None:
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        super().__init__(about, place)
        self._client: Any = None
        self._run = self._rewound = ""

    @classmethod
    def resolved(cls, run: RunFolder, place: str) -> str:
        """A file is a store of its own in SQLite, with its pictures beside it."""
        given = place or os.environ.get("MLFLOW_TRACKING_URI", "")
        if ADDRESS.match(given):
            return given
        file = Path(given or run.path.parent / "mlflow.db").absolute()
        if file.is_dir() or not file.parent.is_dir() or "?" in str(file):
            expected = "an address, as in http://localhost:5000, or a file in a folder that is there"
            raise UserError(f"mlflow:{masked(given)}: expected {expected}")
        return f"{FILE}{file}"

    @property
    def hint(self) -> str:
        return self.place if self.place.startswith("http") else f"mlflow ui --backend-store-uri {shlex.quote(self.place)}"

    def begin(self, known: str, step: int) -> str:
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=self.place)
        if RUN.fullmatch(known):
            self._run = known
            self._client.update_run(known, status="RUNNING")
        else:
            created = round(self.about.created * 1000)
            self._run = str(self._client.create_run(self._experiment(), created, run_name=self.about.name).info.run_id)
        return self._run

    def describe(self) -> None:
        from mlflow.entities import Param, RunTag

        for some in in_groups((Param(name, str(value)) for name, value in self.about.settings.items()), MOST_PARAMS):
            self._client.log_batch(self._run, params=some, synchronous=True)
        tags = [RunTag(f"version.{name}", version) for name, version in self.about.versions.items()]
        self._client.log_batch(self._run, tags=tags, synchronous=True)
        if self.about.recipe:
            self._client.log_text(self._run, self.about.recipe, "recipe.toml")

    def scalars(self, points: Sequence[Point]) -> None:
        from mlflow.entities import Metric

        metrics = (
            Metric(name, _bounded(value), round(point.time * 1000), point.step)
            for point in points
            for name, value in {**point.values, "epoch": point.epoch}.items()
        )
        for some in in_groups(metrics, MOST_METRICS):
            self._client.log_batch(self._run, metrics=some, synchronous=True)

    def confusion(self, found: Confusion) -> None:
        milliseconds = round(found.time * 1000) or None
        picture = matrix.picture(found)
        self._client.log_image(
            self._run, picture, key=found.name, step=found.step, timestamp=milliseconds, synchronous=True
        )  # fmt: skip

    def taken_back(self, step: int, time: float) -> None:
        self._client.set_tag(self._run, "rewound", f"to step {step}: points of later steps from before then do not hold")

    def ended(self, ending: Ending) -> None:
        from mlflow.entities import Metric, RunTag

        milliseconds = round(ending.time * 1000)
        best = [Metric(name, _bounded(value), milliseconds, ending.step) for name, value in ending.best.items()]
        tags = [RunTag("status", ending.status), RunTag("ending", ending.words)]
        self._client.log_batch(self._run, metrics=best, tags=tags, synchronous=True)
        status = "FINISHED" if ending.good else "FAILED" if ending.failed else "KILLED"
        self._client.set_terminated(self._run, status, milliseconds)

    def flush(self) -> None:
        """Every request has been answered."""

    def close(self) -> None:
        """It holds nothing open."""

    def _experiment(self) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        if (found := self._client.get_experiment_by_name(name)) is not None:
            return str(found.experiment_id)
        file = Path(self.place.removeprefix(FILE).partition("?")[0])
        where = f"{file.absolute().with_suffix('').as_uri()}-artifacts" if self.place.startswith(FILE) else None
        return str(self._client.create_experiment(name, artifact_location=where))


def _bounded(value: float) -> float:
    """Infinities as its stores have them; NaN is kept as such."""
    return value if math.isnan(value) else min(max(value, -LARGEST), LARGEST)

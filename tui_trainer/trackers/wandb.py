"""Weights & Biases: online where a person is logged in, else into a folder that ``wandb sync`` sends later; nobody is asked."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from core.errors import UserError
from core.files import make_folder
from core.run.folder import RunFolder
from tui_trainer.trackers import _matrix as matrix
from tui_trainer.trackers._base import About, Confusion, Ending, Point, Tracker

PROJECT = re.compile(r"(?:[\w-]{1,64}/)?[\w. -]{1,128}")
RUN = re.compile(r"[0-9a-z]{8,32}")
FLUSHED = 0.1
"""Seconds within which its process writes what it has been told."""
STEP, EPOCH, REWINDS = "step", "epoch", "rewinds"
ALONE = {
    "console": "off", "disable_git": True, "disable_code": True, "save_code": False, "x_disable_meta": True,
    "x_disable_machine_info": True, "x_disable_stats": True, "x_save_requirements": False, "host": "-", "silent": True,
    "program": "-", "x_transaction_log_flush_interval": FLUSHED,
}  # fmt: skip
"""Nothing is told of this process and its machine, which need not be those of the training."""
QUIET = {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}
INIT_TIMEOUT = 20.0
"""Seconds that its server may take, after which all goes into the folder."""


class WandB(Tracker):
    """A row for each moment, and one for a picture. Its own step is twice the number of our event, which never falls, so that
    it drops what it has already; charts are drawn by ``step``. Its history forgets nothing: after a rewind ``rewinds`` counts
    up, by which to filter."""

    LIBRARY: ClassVar[str] = "wandb"
    PLACE: ClassVar[str] = "PROJECT"

    def __init__(self, about: About, place: str) -> None:
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        super().__init__(about, place)
        self._folder, _, self._project = place.rpartition("//")
        self._run: Any = None
        self._status = 0

    @classmethod
    def resolved(cls, run: RunFolder, place: str) -> str:
        project = place or os.environ.get("WANDB_PROJECT") or "tui-trainer"
        if not PROJECT.fullmatch(project):
            raise UserError(f"wandb:{place}: expected a project, or ENTITY/PROJECT, of letters, digits, '_', '-' and '.'")
        folder = Path(os.environ.get("WANDB_DIR") or run.path)
        if (folder / "wandb").is_symlink():
            raise UserError(f"{folder / 'wandb'}: a link, where a folder was expected; remove it")
        return f"{folder.absolute()}//{project}"

    @property
    def hint(self) -> str:
        if self._run.settings.mode == "online":
            return str(self._run.url)
        each = Path(self._folder) / "wandb"  # has a part for every time that it was opened
        return f"wandb sync {shlex.quote(str(each))}/offline-run-*-{self._run.id}"

    def begin(self, known: str, step: int) -> str:
        import wandb

        make_folder(Path(self._folder))
        named = known if RUN.fullmatch(known) else secrets.token_hex(8)
        mode = os.environ.get("WANDB_MODE") or ("online" if wandb.login(prompt=False, verify=False) else "offline")
        try:
            self._run = self._opened(named, mode)
        except wandb.Error:  # no network, or a key that is none
            if os.environ.get("WANDB_MODE") or mode == "offline":
                raise
            wandb.teardown()  # which has that run open
            self._run = self._opened(named, "offline")
        self._run.define_metric("*", step_metric=STEP)
        return named

    def _opened(self, named: str, mode: str) -> Any:
        import wandb

        entity, _, project = self._project.rpartition("/")
        settings = {name: value for name, value in ALONE.items() if name in wandb.Settings.model_fields}
        return wandb.init(
            project=project, entity=entity or None, id=named, name=self.about.name, dir=self._folder, mode=cast(Any, mode),
            resume="allow", config={**self.about.settings, "versions": self.about.versions}, reinit="create_new",
            settings=wandb.Settings(init_timeout=INIT_TIMEOUT, **settings),
        )  # fmt: skip

    def describe(self) -> None:
        """It was opened with it."""

    def scalars(self, points: Sequence[Point]) -> None:
        for point in points:
            self._log(2 * point.seq, point.step, point.epoch, point.time, point.values)

    def confusion(self, found: Confusion) -> None:
        import wandb

        picture = wandb.Image(matrix.picture(found))
        self._log(2 * found.seq + 1, found.step, found.epoch, found.time, {found.name: picture})

    def taken_back(self, step: int, time: float) -> None:
        """The rows from here on say so."""

    def ended(self, ending: Ending) -> None:
        told = {"status": ending.status, "ending": ending.words, STEP: ending.step}
        self._run.summary.update({**ending.metrics, **ending.best, **told})
        self._status = 1 if ending.failed else 0

    def flush(self) -> None:
        """Its process answers in order: what was told before a question has come to it, and is written a little later. Should
        that process be killed with this one, it is in the file."""
        self._run.summary.keys()
        time.sleep(2 * FLUSHED)

    def close(self) -> None:
        if self._run is not None:
            self._run.finish(exit_code=self._status)

    def _log(self, row: int, step: int, epoch: int, time: float, values: dict[str, Any]) -> None:
        told = {**values, STEP: step, EPOCH: epoch, REWINDS: self.rewinds, "_timestamp": time}
        self._run.log(told, step=row, commit=True)

"""A finished run, for tests that damage it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core import data
from core.run.folder import RunFolder
from core.training import setup as setups
from core.training.setup import Setup
from tests.core.training import new_run, tiny, train

RECIPE = tiny(epochs=2, data={"source": "sample", "limit": 40, "validation": 0.2, "evaluation_batch_size": 20})


@pytest.fixture(scope="session")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``run`` and ``other``, of one recipe, which differ in their names and ids alone."""
    folder = tmp_path_factory.mktemp("two")
    for name in ("run", "other"):
        train(new_run(folder / name, RECIPE))
    return folder


@pytest.fixture
def copied_run(two_runs: Path, tmp_path: Path) -> RunFolder:
    """A copy of ``run``, with ``other`` beside it."""
    for name in ("run", "other"):
        shutil.copytree(two_runs / name, tmp_path / name)
    return RunFolder(tmp_path / "run")


@pytest.fixture(scope="session")
def its_setup() -> Setup:
    """What it was trained with."""
    return setups.prepare(RECIPE, 1, data.silent)

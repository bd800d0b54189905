"""The run that all others are held against."""

from __future__ import annotations

import pytest

from core.run import session
from core.run.folder import RunFolder
from tests.core.training import fingerprint, new_run
from tests.crowd.harness import PATIENCE, short


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The fingerprint of ``short`` when nobody looks and nothing runs beside it."""
    run: RunFolder = new_run(tmp_path_factory.mktemp("alone") / "run", short())
    assert session.start(run, threads=1).wait(PATIENCE) == 0
    return fingerprint(run)

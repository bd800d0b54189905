from __future__ import annotations

from pathlib import Path

import pytest

from tests.remote.far import Far


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Far:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "ssh"
    folder.mkdir()
    return Far(folder, monkeypatch)

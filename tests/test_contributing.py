"""CONTRIBUTING.md taken at its word: its files are added to a copy of the project, and its commands are run there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import blocks, files

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FILES = files(TEXT)
COMMANDS = blocks(TEXT, "sh")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for package in ("core", "tui_trainer"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in FILES.items():
        assert not (tmp_path / name).exists()
        (tmp_path / name).write_text(text)
    program = tmp_path / "bin" / "tui-trainer"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m tui_trainer "$@"\n')
    program.chmod(0o755)
    return tmp_path


@pytest.mark.timeout(600)
def test_each_thing_is_one_file_and_works(copied: Path) -> None:
    assert len(FILES) >= 4 and len(COMMANDS) >= 4
    environment = {**os.environ, "PATH": f"{copied / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(copied)}
    said = []
    for block in COMMANDS:
        done = subprocess.run(
            ["sh", "-e", "-c", block], cwd=copied, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    assert "98,666 parameters" in said[0]  # 3 x 32 x 32 x 32 + 32 + 32 x 10 + 10
    assert "epoch   2" in said[-2]
    assert "training,run=first step=" in said[-1] and "test/accuracy=" in said[-1]


def test_they_are_written_as_all_else_here_is(copied: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", copied)
    python = [name for name in FILES if name.endswith(".py")]
    for check in (["check"], ["format", "--check"]):
        ruff = subprocess.run(
            [sys.executable, "-m", "ruff", *check, *python], cwd=copied, capture_output=True, text=True, check=False
        )
        assert ruff.returncode == 0, ruff.stdout

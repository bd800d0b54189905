"""Pages of docs/ taken at their word: their files are written and their commands run, in their order, in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import blocks, files
from tests.tools.make_docs import DOCS

ROOT = DOCS.parent


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A shell whose ``tui-trainer`` and ``python`` are those under test."""
    programs = {"tui-trainer": f'"{sys.executable}" -P -m tui_trainer "$@"', "python": f'"{sys.executable}" "$@"'}
    (tmp_path / "bin").mkdir()
    for name, command in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\nexec {command}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TUI_TRAINER") and name != "CI"}
    cache = {"TUI_TRAINER_CACHE": str(tmp_path / "cache")}
    return {**kept, **cache, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", ["first-run.md", "your-own.md", "checkpoints.md"])
def test_a_page_can_be_followed(page: str, tmp_path: Path, environment: dict[str, str]) -> None:
    text = (DOCS / page).read_text("utf-8")
    work = tmp_path / "work"
    work.mkdir()
    for name, content in files(text).items():
        (work / name).write_text(content)
    commands = blocks(text, "sh")
    assert len(commands) >= 4
    for block in commands:
        done = subprocess.run(["sh", "-e", "-c", block], cwd=work, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


@pytest.mark.timeout(600)
def test_the_programs_of_the_page_on_python_run(tmp_path: Path, environment: dict[str, str]) -> None:
    (program,) = blocks((DOCS / "python.md").read_text("utf-8"), "python")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "finished: 2 epochs done" in done.stdout and done.stdout.splitlines()[-1].endswith(" 3")

"""``report`` as its users meet it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.run.folder import RunFolder
from tests.cli.conftest import Cli, one_line
from tests.tui import runs as made
from tests.tui.pictured import with_pictures
from tests.tui.reports import Page, html_of


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    (tmp_path / "runs").mkdir()
    return with_pictures(tmp_path / "runs", made.early_stopped())


def test_a_page_in_a_file_of_its_own(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    process = cli("report", "demo", cwd=tmp_path)
    assert (process.returncode, process.stdout, process.stderr) == (0, "demo-report.html\n", "")
    shown = Page((tmp_path / "demo-report.html").read_text("utf-8"))
    assert "Early stopping has ended the run" in shown.text and len(shown.images) == 32
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo-report.html", "runs"]


def test_markdown_to_the_standard_output(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    process = cli("report", "last", "--markdown", "-o", "-", cwd=tmp_path)
    assert process.returncode == 0 and process.stdout.startswith("## demo: early-stopped\n")
    assert "<td>airplane</td>" in html_of(process.stdout)


def test_nothing_is_written_over_unless_asked(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "demo-report.html").write_text("mine")
    assert "exists already" in one_line(cli("report", "demo", cwd=tmp_path))
    assert (tmp_path / "demo-report.html").read_text() == "mine"
    assert cli("report", "demo", "--markdown", cwd=tmp_path).stdout == "demo-report.md\n"
    assert cli("report", "demo", "--markdown", "--force", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("output", "words"),
    [("nosuch/x.html", "cannot be written: No such file"), ("runs", "not a plain file"), ("pipe", "not a plain file")],
)
def test_where_it_cannot_be_written(cli: Cli, run: RunFolder, tmp_path: Path, output: str, words: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert words in one_line(cli("report", "demo", "-o", output, "--force", cwd=tmp_path))
    assert (tmp_path / "pipe").is_fifo()


def test_a_run_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    assert "not found" in one_line(cli("report", "nosuch", cwd=tmp_path))

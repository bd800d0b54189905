"""A real run, told from a shell to go back and to be discarded."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Cli, Watch, one_line


def test_a_run_is_taken_back_and_discarded(cli: Cli, watched: Watch, folder: Path) -> None:
    process, run = watched("told")
    said = cli("tell", "told", "save=here", "learning-rate=x0.5", "rewind=here", cwd=folder)
    assert said.returncode == 0, said.stderr
    assert [line.partition(":")[0] for line in said.stdout.splitlines()] == ["Save", "SetLearningRate", "Rewind"]
    assert "went back to step-" in said.stdout
    refused = one_line(cli("tell", "told", "rewind=nowhere", cwd=folder))
    assert "rejected: no checkpoint 'nowhere'; expected best, last or one of" in refused
    assert cli("tell", "told", "discard=yes", cwd=folder).stdout == "Discard: leaving without saving\n"
    assert process.wait(60) == 0
    assert json.loads(cli("show", "told", "--json", cwd=folder).stdout)["state"] == "discarded"
    assert "has no living trainer" in one_line(cli("tell", "told", "discard=yes", cwd=folder))
    assert [place.name for place in run.checkpoints.iterdir() if place.name.startswith("left-")] == []

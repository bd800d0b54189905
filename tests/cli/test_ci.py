"""What CI is left with: JUnit's XML and a step's summary, of every ending, whatever the names."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from core.errors import UserError
from core.run.folder import RunFolder
from core.view.state import State
from core.view.summary import summarise
from tests.cli.conftest import Cli, one_line
from tests.core.hostile import lets_through
from tests.tui import runs as made
from tests.tui import states
from tui_trainer.cli import conclude
from tui_trainer.cli.require import parse
from tui_trainer.reporting.junit import junit
from tui_trainer.reporting.outcome import Outcome, of_run
from tui_trainer.reporting.step_summary import step_summary

REQUIRED = ("test.accuracy>=0.99", "train.loss<99")
TOLD = {"early_stopped": made.early_stopped, "diverged": made.diverged, "stopped": made.stopped, "hostile": made.hostile}


def outcome(runs: Path, state: str, status: int, *required: str) -> Outcome:
    run = made.make(runs, state, TOLD[state]())
    return of_run(run, summarise(run), status, parse(required))


def suite(found: Outcome) -> ET.Element:
    """With its counts checked, as those who show it add them up."""
    root = ET.fromstring(junit(found))
    (one,) = root
    cases = one.findall("testcase")
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(one.attrib[name]) == sum(case.find(tag) is not None for case in cases)
    assert int(one.attrib["tests"]) == len(cases) and float(one.attrib["time"]) >= 0
    assert root.attrib.items() < {**one.attrib, "name": "tui-trainer"}.items()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", one.attrib["timestamp"])
    return one


def test_a_requirement_that_is_missed(tmp_path: Path) -> None:
    found = outcome(tmp_path, "early_stopped", 0, *REQUIRED)
    assert len(found.missed) == 1
    one = suite(found)
    training, missed, met = one.findall("testcase")
    assert [case.attrib["name"] for case in (training, missed, met)] == ["training", *REQUIRED]
    assert list(met) == [] and [child.tag for child in training] == ["system-out"]
    (failure,) = missed
    assert failure.attrib["message"] == failure.text == found.missed[0]
    properties = {item.attrib["name"]: item.attrib["value"] for item in one.iter("property")}
    assert properties["run"] == found.name and float(properties["train.loss"]) == found.metrics["train.loss"]
    text = step_summary(found)
    assert f"### {found.name}: 1 of 2 requirements met" in text
    assert "| `train.loss<99` |" in text and "| met |" in text and "| missed |" in text
    assert text.count("<details>") == text.count("</details>") >= 2


@pytest.mark.parametrize(("state", "status", "kind"), [("diverged", 3, "diverged"), ("stopped", 143, "SIGTERM")])
def test_one_that_did_not_come_to_its_end(state: str, status: int, kind: str, tmp_path: Path) -> None:
    found = outcome(tmp_path, state, status, *REQUIRED)
    assert found.status == status and found.missed == []
    training, *others = suite(found).findall("testcase")
    (error,) = training.findall("error")
    assert error.attrib["type"] == kind and error.text == found.sentence
    assert [[child.tag for child in case] for case in others] == [["skipped"], ["skipped"]]
    how = "failed (diverged)" if status == 3 else "stopped (SIGTERM)"
    assert f": training {how}\n" in step_summary(found)
    assert step_summary(found).count("| not looked at |") == 2


def test_hostile_names_break_neither(tmp_path: Path) -> None:
    found = outcome(tmp_path, "hostile", 3, "test.accuracy.\x1b[31m]]>&<b>\udc80\ufffe>=0.1")
    assert lets_through(junit(found).decode()) == [] and lets_through(step_summary(found)) == []
    one = suite(found)
    assert one.findall("testcase")[1].attrib["name"] == r"test.accuracy.\x1b[31m]]>&<b>\udc80\ufffe>=0.1"
    assert "<b>" not in re.sub("`+[^`]*`+", "", step_summary(found))


def test_without_anything_measured(tmp_path: Path) -> None:
    run = made.make(tmp_path, "empty", [])
    found = of_run(run, State(name="empty", status="lost"), 3, [])
    assert [case.attrib["name"] for case in suite(found).findall("testcase")] == ["training"]
    assert "### empty: training failed (lost)" in step_summary(found)


@pytest.fixture
def ended(tmp_path: Path) -> RunFolder:
    return states.make(tmp_path / "runs", "early_stopped")


def test_show_answers_for_a_run_that_has_ended(ended: RunFolder, cli: Cli, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before")
    summary.chmod(0o644)
    asked = ("show", ended.name, "--require", REQUIRED[0], "--junit", "new/junit.xml", "--json")
    process = cli(*asked, cwd=tmp_path, env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert process.returncode == 1 and process.stderr.startswith("tui-trainer: required test.accuracy>=0.99, but ")
    assert json.loads(process.stdout)["name"] == ended.name
    assert ET.parse(tmp_path / "new" / "junit.xml").getroot().attrib["failures"] == "1"
    assert summary.read_text().startswith("before\n###") and list((tmp_path / "new").iterdir()) == [tmp_path / "new/junit.xml"]
    fine = cli("show", ended.name, "--require", REQUIRED[1], cwd=tmp_path, env={"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert fine.returncode == 0
    assert fine.stderr == f"tui-trainer: GITHUB_STEP_SUMMARY: {tmp_path}: cannot be written: Is a directory\n"


def test_what_show_cannot_answer_for(ended: RunFolder, cli: Cli, tmp_path: Path) -> None:
    going_on = made.make(tmp_path / "runs", "going-on", made.running())
    with going_on.hold():
        line = one_line(cli("show", going_on.name, "--require", REQUIRED[0], cwd=tmp_path))
    assert "has not ended (running)" in line
    line = one_line(cli("show", ended.name, "--require", "val.accuracy.katze>=0.1", cwd=tmp_path))
    assert "class 'katze' is not known" in line


def test_a_report_takes_the_place_of_a_report_alone(tmp_path: Path) -> None:
    report, other = tmp_path / "report.xml", tmp_path / "recipe.toml"
    report.write_text("<?xml version='1.0'?><testsuites/>")
    conclude.check_junit(report)
    assert not report.exists()  # that of before is none of this command
    other.write_text("epochs = 2")
    page = tmp_path / "page.xml"
    page.write_text("<?xml version='1.0'?><html>of somebody</html>")
    for path, words in (
        (other, "something else is there"),
        (page, "something else is there"),
        (tmp_path, "cannot be written"),
        (other / "x", "cannot be written"),
    ):
        with pytest.raises(UserError, match=words):
            conclude.check_junit(path)
    assert other.read_text() == "epochs = 2" and page.exists()


def test_a_report_that_cannot_be_written_is_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(conclude.SUMMARY, raising=False)
    found = outcome(tmp_path, "early_stopped", 0)
    with pytest.raises(SystemExit) as leaving:
        conclude.conclude(0, [], tmp_path / "none" / "report.xml", lambda: found)
    assert leaving.value.code == 2 and "report.xml: cannot be written: No such file" in capsys.readouterr().err

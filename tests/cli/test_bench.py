"""``bench`` as its users meet it: tables, JSON, exit statuses, interrupts."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core import events as e
from core.bench import console, watched
from core.bench.results import (
    Machine,
    Parts,
    Saving,
    SeedResult,
    Spread,
    StepReport,
    StepResult,
    TargetReport,
    WatchedReport,
)
from core.recipe import load
from core.run import journal
from core.run.folder import list_runs
from tests.cli.conftest import COMMAND, SMALL, Cli, one_line
from tests.cli.test_start import loaded_by
from tui_trainer import bench_report
from tui_trainer.cli import bench

QUICK = ("bench", "quickstart", "--seconds", "0", "--batch", "16", *SMALL)
TO = ("bench", "quickstart", "--seeds", "2", "--set", "epochs=2", "--set", "evaluation.tta=mirror", *SMALL)
MACHINE = Machine(processor="Some Processor @ 2 GHz", cores=2, threads=1, capability="AVX2", torch="2.14.0")
SPREAD = Spread(1234.5, 1200.0, 1260.0, 4)
RESULT = StepResult(
    recipe="quickstart", data="sample", model="resnet", parameters=78042, macs=12_500_000, batch_size=2000, device="cpu",
    precision="fp32", plain_workers=2, images_per_second=SPREAD, plain_images_per_second=SPREAD,
    ratio=Spread(1.523, 1.4, 1.61, 4), flops=2.5e11, plain_flops=1.2e11, load_seconds=0.4, load_images_per_second=9000.0,
    evaluation_images_per_second=123456.0, checkpoint=Saving(copy_ms=12.3, write_ms=456.7, bytes=51_156_380),
    parts=Parts(
        steps=2, step_ms=8123.4, augmentation_ms=1.2, forward_ms=3000.0, backward_ms=5000.0, optimizer_ms=99.9, other_ms=0.1
    ),
    notes=["a note that goes on " * 8],
)  # fmt: skip
TIMES = {"start": 2.0, "preparation": 3.0, "compile": 0.0, "training": 1280.5, "validation": 0.0, "final": 45.0, "other": 1.0}


def target_report() -> TargetReport:
    report = TargetReport(machine=MACHINE, recipe="fast", target=0.94, wanted_seeds=2)
    report.add(SeedResult(run="runs/one", seed=0, accuracy=0.9339, tta_accuracy=0.9406, total=1331.5, sessions=1, **TIMES))
    report.add(SeedResult(run="runs/two", seed=1, accuracy=0.93, tta_accuracy=None, total=1331.5, sessions=2, **TIMES))
    return report


def watched_report() -> WatchedReport:
    ratio = Spread(0.991, 0.98, 1.002, 10)
    return WatchedReport(
        machine=MACHINE, recipe="quickstart", data="sample", batch_size=64, device="cpu", alone=SPREAD, journal=SPREAD,
        console=SPREAD, journal_ratio=ratio, console_ratio=ratio, screen_bytes_per_second=12_000.0, cores_filled=True,
    )  # fmt: skip


# The tables


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            bench_report.step_lines(StepReport(machine=MACHINE, recipes=[RESULT])),
            ["1,234", "250G", "1.52 (1.40-1.61)", "48.8 MiB"],
        ),
        (bench_report.target_lines(target_report()), ["93.39 %", "93.20 ± 0.28 %", "1331.50 ± 0.00 s", "seed 1 was cut off"]),
        (bench_report.watched_lines(watched_report()), ["0.991 (0.980-1.002)", "training fills all cores", "11.7 KiB/s"]),
    ],
)
def test_tables_fit_80_columns_and_begin_with_the_machine(lines: list[str], words: list[str]) -> None:
    assert lines[0] == "machine: Some Processor @ 2 GHz, 2 cores, 1 thread, AVX2, torch 2.14.0, no GPU"
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert [word for word in words if word not in text] == []
    assert "\x1b" not in text


def test_what_was_not_measured_is_not_shown_as_a_number() -> None:
    empty = StepResult(
        recipe="\x1b[2J",
        data="",
        model="",
        parameters=1,
        macs=1,
        batch_size=1,
        device="cpu",
        precision="fp32",
        notes=["[bold]"],
    )
    lines = bench_report.step_lines(StepReport(machine=MACHINE, recipes=[empty], interrupted=True))
    assert not any("parts of our step" in line or "beside the steps" in line for line in lines)
    (row,) = [line for line in lines if line.lstrip().startswith("\\x1b[2J") and "-" in line]
    assert row.split()[1:] == ["1", "-", "-", "-", "-", "-"]
    assert "\\x1b[2J: [bold]" in lines and lines[-1].startswith("interrupted")


# Steps


def test_json_has_every_field_and_nothing_is_left_behind(cli: Cli, tmp_path: Path) -> None:
    process = cli(*QUICK, "--json", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    assert set(found) == {"machine", "recipes", "interrupted"} and found["machine"]["threads"] == 1
    (result,) = found["recipes"]
    assert set(result) == set(StepResult.__struct_fields__)
    assert [key for key, value in result.items() if value is None] == []
    assert (result["batch_size"], result["data"], result["ratio"]["count"]) == (16, "sample", 2)
    assert "quickstart: evaluation ..." in process.stderr.splitlines()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_it_with_what_there_is(environment: dict[str, str], tmp_path: Path) -> None:
    command = [*COMMAND, "bench", "quickstart", "--seconds", "600", "--json", *SMALL]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    for line in process.stderr:
        if "in turn" in line:
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    found = json.loads(output)
    assert found["interrupted"] and found["recipes"][0]["recipe"] == "quickstart"
    assert "Traceback" not in errors


# Time to an accuracy


def test_seeds_are_ordinary_runs_and_are_not_run_twice(cli: Cli, tmp_path: Path) -> None:
    process = cli(*TO, "--to", "1.5", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert "target 1.5 %: reached by the mean (with TTA)" in process.stdout
    runs = {run.name: run for run in list_runs(tmp_path / "runs")}
    assert sorted(name[-6:] for name in runs) == ["seed-0", "seed-1"]
    assert "finished" in cli("show", next(iter(runs)), cwd=tmp_path).stdout
    before = {name: run.journal.read_bytes() for name, run in runs.items()}
    again = cli(*TO, "--to", "100", "--json", cwd=tmp_path)
    assert again.returncode == 1
    assert {name: run.journal.read_bytes() for name, run in runs.items()} == before
    found = json.loads(again.stdout)
    assert (found["reached"], found["accuracy"]["count"], len(found["seeds"])) == (False, 2, 2)
    for seed in found["seeds"]:
        parts = ("start", "preparation", "compile", "training", "validation", "final", "other")
        assert sum(seed[part] for part in parts) == pytest.approx(seed["total"])
        assert seed["sessions"] == 1 and min(seed["training"], seed["validation"], seed["final"]) > 0


def test_a_seed_that_is_cut_off_is_saved_and_resumed(environment: dict[str, str], cli: Cli, tmp_path: Path) -> None:
    arguments = ("bench", "quickstart", "--to", "100", "--seeds", "1", "--set", "epochs=60", *SMALL)
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: any(journal.find(run.journal, e.EpochDone) for run in list_runs(tmp_path / "runs")))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted before anything was measured" in errors
    (run,) = list_runs(tmp_path / "runs")
    assert not run.alive() and journal.find(run.journal, e.RunStopped)
    resumed = json.loads(cli(*arguments, "--json", cwd=tmp_path).stdout)
    assert [seed["sessions"] for seed in resumed["seeds"]] == [2]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def test_a_run_that_fails_is_named(cli: Cli, tmp_path: Path) -> None:
    process = cli(*TO, "--to", "50", "--set", "optimizer.lr=1e30", "--set", "optimizer.name=sgd", cwd=tmp_path)
    assert process.returncode == 3
    (run,) = list_runs(tmp_path / "runs")
    assert process.stderr.splitlines()[-1].startswith(f"tui-trainer: run {run.name}: ")


def test_a_run_that_never_began_is_not_left_behind(cli: Cli, tmp_path: Path) -> None:
    nobody = {"TUI_TRAINER_CIFAR10_URL": "http://127.0.0.1:9/none"}
    process = cli(*TO, "--to", "50", "--set", "data.source=cifar10", cwd=tmp_path, env=nobody)
    assert process.returncode == 2 and "http://127.0.0.1:9/none" in process.stderr.splitlines()[-1]
    assert list_runs(tmp_path / "runs") == []


# The cost of being watched


def test_the_real_console_is_attached(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    monkeypatch.setattr(watched, "BLOCK", 0.5)
    monkeypatch.setattr(watched, "SETTLE", 0.2)
    screens: list[bytes] = []
    unchanged = console.Console.__exit__

    def keep_the_screen(self: console.Console, *error: object) -> None:
        screens.append(self._screen.read_bytes())
        unchanged(self, None, None, None)

    monkeypatch.setattr(console.Console, "__exit__", keep_the_screen)
    recipe = load("quickstart", ["data.limit=100", "batch_size=16"])
    bench._watched(recipe, 0.0, bench.Asked(threads=1, json=True, runs=tmp_path / "runs"))
    found = json.loads(capfdbinary.readouterr().out)
    assert set(found) == set(WatchedReport.__struct_fields__)
    assert [key for key, value in found.items() if value is None] == []
    assert b"watched" in screens[0] and b"running" in screens[0]


# Wrong use


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nosuch",), "recipe 'nosuch' is not known"),
        (("quickstart", "--set", "optimizer.lrr=1"), "did you mean 'lr'"),
        (("quickstart", "--threads", "9999"), "--threads 9999"),
        (("--to", "94", "--watched"), "exclude each other"),
        (("--to", "0.94"), "expected a test accuracy in per cent"),
        (("--to", "nan"), "expected a test accuracy in per cent"),
        (("--to", "94", "--seconds", "3"), "--seconds does not go with --to"),
        (("--seeds", "3"), "--seeds goes with --to"),
        (("--to", "94", "seed", "fast"), "--to takes one recipe, 2 are given"),
        (("--watched", "seed", "fast"), "--watched takes one recipe, 2 are given"),
        (("quickstart", "--set", "data.path=/nowhere", "--seconds", "0"), "takes no path"),
        (("--runs", "file"), "file: not a folder"),
    ],
)
def test_wrong_use_is_one_line(arguments: tuple[str, ...], words: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    process = cli("bench", *arguments, cwd=tmp_path)
    process.stderr = "".join(line for line in process.stderr.splitlines(True) if not line.endswith(" ...\n"))
    assert words in one_line(process)
    assert not (tmp_path / "runs").exists()


def test_help_loads_nothing_heavy(tmp_path: Path, environment: dict[str, str]) -> None:
    assert loaded_by("bench", "--help", cwd=tmp_path, env=environment) == set()

"""Optuna's part, with the real one: what is proposed, what is pruned, what matters."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.errors import UserError
from core.sweep.folder import Sampler, SweepFile, SweepFolder
from core.sweep.space import Choice, Range, Space, Value
from core.sweep.study import STARTUP, Study
from core.sweep.trials import FEWEST

pytestmark = pytest.mark.others
SPACE: Space = {
    "optimizer.lr": Range(1e-4, 1e-1, log=True),
    "batch_size": Range(16, 64, step=16, whole=True),
    "optimizer.name": Choice(("adam", "sgd")),
}
FILE = SweepFile(name="s", space=SPACE, metric="val.loss", seed=7, trials=20)


def opened(path: Path, sampler: Sampler = "tpe", file: SweepFile = FILE) -> Study:
    file = replace(file, sampler=sampler)
    folder = SweepFolder(path / "s.sweep")
    if not folder.exists():
        folder.create(file)
    return Study(folder, folder.read(), epochs=10)


def result(values: dict[str, Value]) -> float:
    return float(values["optimizer.lr"]) + (0.0 if values["optimizer.name"] == "adam" else 1e-4)


def tried(path: Path, sampler: Sampler, number: int, reopened: bool) -> list[dict[str, Value]]:
    study, found = opened(path, sampler), []
    for _ in range(number):
        if reopened:
            study = opened(path, sampler)
        trial = study.propose()
        if reopened:  # ended before it was through, and gone on with
            (trial,) = opened(path, sampler).under_way()
        found.append(trial.values)
        study.end(trial, "finished", result(trial.values))
    return found


@pytest.mark.parametrize(("sampler", "number"), [("tpe", 13), ("random", 4), ("grid", 4)])
def test_the_same_is_proposed_whether_or_not_it_was_interrupted(sampler: Sampler, number: int, tmp_path: Path) -> None:
    """TPE learns from what was tried after its first ten."""
    file = replace(FILE, space={**SPACE, "optimizer.lr": Choice(("0.1", "0.01", "0.001"))} if sampler == "grid" else SPACE)
    for name in ("one", "two"):
        opened(tmp_path / name, sampler, file)
    whole, parts = (tried(tmp_path / name, sampler, number, name == "two") for name in ("one", "two"))
    assert whole == parts
    assert len({tuple(values.values()) for values in whole}) == number


def test_another_seed_proposes_something_else(tmp_path: Path) -> None:
    one, two = (opened(tmp_path / str(seed), file=replace(FILE, seed=seed)).propose() for seed in (1, 2))
    assert one.values != two.values


def test_a_grid_goes_through_all_there_is(tmp_path: Path) -> None:
    space: Space = {"batch_size": Range(16, 64, step=16, whole=True), "optimizer.name": Choice(("adam", "sgd"))}
    study = opened(tmp_path, "grid", replace(FILE, space=space))
    found = []
    for _ in range(8):
        trial = study.propose()
        found.append(tuple(trial.values.values()))
        study.end(trial, "failed")
    assert found == [(size, name) for size in (16, 32, 48, 64) for name in ("adam", "sgd")]


def test_a_trial_behind_the_median_of_the_others_is_pruned(tmp_path: Path) -> None:
    study = opened(tmp_path)
    for place in range(STARTUP):
        trial = study.propose()
        assert [study.report(trial, epoch, 1.0 + place / 10) for epoch in range(1, 11)] == [""] * 10
        study.end(replace(trial, best_epoch=3), "finished", 1.0 + place / 10, seconds=5.0)
    good, bad = study.propose(), replace(study.trials()[0], number=STARTUP + 1)
    assert study.report(good, 1, 9.0) == ""  # the first epochs count for nothing
    assert study.report(bad, 2, 9.0) == "val.loss 9.0000 at epoch 2, where the median of the others is 1.2000"
    pruned = study.end(bad, "pruned", note="why")
    assert (pruned.state, pruned.value, pruned.epoch, pruned.note) == ("pruned", 9.0, 2, "why")
    finished = opened(tmp_path).trials()[0]
    assert (finished.state, finished.value, finished.best_epoch, finished.seconds) == ("finished", 1.0, 3, 5.0)


def test_a_value_that_is_told_again_after_a_resume_counts_once(tmp_path: Path) -> None:
    study = opened(tmp_path)
    trial = study.propose()
    study.report(trial, 1, 2.0)
    study.report(trial, 1, 5.0)
    study.report(trial, 2, float("nan"))
    study.trained(trial, 4.5)
    (known,) = opened(tmp_path).under_way()
    assert (known.epoch, known.value, known.state, known.seconds) == (1, 2.0, "running", 4.5)


def test_what_matters_is_told_once_enough_trials_have_finished(tmp_path: Path) -> None:
    study = opened(tmp_path, "random")
    for number in range(1, 41):
        trial = study.propose()
        study.end(trial, "finished", result(trial.values))
        if number < FEWEST:
            assert study.importances() == {}
    found = study.importances()
    assert set(found) == set(SPACE) and sum(found.values()) == pytest.approx(1.0)
    assert max(found, key=lambda key: found[key]) == "optimizer.lr"


def test_a_study_that_is_damaged_is_one_line(tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "s.sweep" / "study.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(UserError, match=r"study\.db: the study cannot be read or written: .*not a database"):
        opened(tmp_path)


def test_a_path_may_have_any_characters(tmp_path: Path) -> None:
    folder = tmp_path / "a?b{c}%20#d"
    assert opened(folder).propose().number == 1
    database = folder / "s.sweep" / "study.db"
    assert len(opened(folder).under_way()) == 1 and database.stat().st_mode & 0o777 == 0o600

"""What lists are filtered and ordered by, on made-up runs; and how much room a run takes."""

from __future__ import annotations

import math
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.run import size
from core.run.folder import RunFolder
from core.run.size import folder_bytes
from tests.tui import runs as made
from tui_trainer import listing, run_filter
from tui_trainer.listing import ListedRun, Listing
from tui_trainer.run_facts import ORDERS, Order, chosen, facts
from tui_trainer.run_filter import NUMBERS, TEXTS, Filter

EVERYTHING = Filter()


@pytest.fixture
def listed(runs: Path) -> list[ListedRun]:
    """In the order of a list: the living one, then the latest."""
    told = {"living": made.running, "whole": made.early_stopped, "bad": made.diverged, "new": made.empty}
    for place, (name, events) in enumerate(told.items()):
        run = made.make(runs, name, events())
        os.utime(run.journal, (made.NOW - 60 * place,) * 2)
    with ExitStack() as held:
        held.enter_context(RunFolder(runs / "living").hold())
        return Listing(runs).scan(math.inf)


def names(found: list[ListedRun]) -> list[str]:
    return [item.run.name for item in found]


def test_the_facts_of_a_run(listed: list[ListedRun]) -> None:
    known = {item.run.name: facts(item, made.NOW) for item in listed}
    assert set(known["whole"].texts) == set(TEXTS) and set(known["living"].numbers) <= set(NUMBERS)
    assert known["whole"].numbers["acc"] == max(row.metrics["val.accuracy"] for row in listed[1].state.rows)  # type: ignore[union-attr]
    assert known["whole"].numbers["params"] == 4_257_260
    assert ("left" in known["living"].numbers, "left" in known["whole"].numbers) == (True, False)
    assert known["whole"].numbers["size"] == folder_bytes(Path("runs/whole"))
    assert "acc" not in known["new"].numbers


def test_a_filter_and_the_usual_order(listed: list[ListedRun]) -> None:
    assert names(chosen(listed, made.NOW, EVERYTHING, Order())) == ["living", "whole", "bad", "new"]
    assert names(chosen(listed, made.NOW, run_filter.parse("acc>0.6"), Order())) == ["living", "whole"]
    assert names(chosen(listed, made.NOW, run_filter.parse("!quickstart"), Order())) == []


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("name", ["bad", "living", "new", "whole"]),
        ("best", ["whole", "living", "bad", "new"]),
        ("epoch", ["whole", "living", "bad", "new"]),
        ("left", ["living", "whole", "bad", "new"]),
        ("active", ["living", "whole", "bad", "new"]),
    ],
)
def test_what_is_not_known_comes_last_either_way(listed: list[ListedRun], by: str, expected: list[str]) -> None:
    assert names(chosen(listed, made.NOW, EVERYTHING, Order(by))) == expected
    known = [item for item in listed if ORDERS[by](facts(item, made.NOW), item) is not None]
    turned = names(chosen(listed, made.NOW, EVERYTHING, Order(by, turned=True)))
    assert turned == [*reversed(expected[: len(known)]), *expected[len(known) :]]


@pytest.mark.parametrize("by", ORDERS)
def test_every_order_takes_every_run(listed: list[ListedRun], by: str) -> None:
    assert sorted(names(chosen(listed, made.NOW, EVERYTHING, Order(by)))) == sorted(names(listed))


def test_room_is_counted_again_only_when_it_may_have_changed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, counted = made.make(runs, "demo", made.stopped()), list[Path]()

    def count(path: Path) -> int:
        counted.append(path)
        return size.folder_bytes(path)

    monkeypatch.setattr(listing, "folder_bytes", count)
    shown = Listing(runs)
    (before,), (again,) = shown.scan(math.inf), shown.scan(math.inf)
    assert before.size == again.size == folder_bytes(run.path) and len(counted) == 1
    with run.journal.open("ab") as journal:
        journal.write(b"x" * 100)
    (grown,) = shown.scan(math.inf)
    assert grown.size == folder_bytes(run.path) and len(counted) == 1
    (run.checkpoints / "step-00000001").mkdir()
    (run.checkpoints / "step-00000001" / "model.safetensors").write_bytes(b"x" * 5000)
    (saved,) = shown.scan(math.inf)
    assert saved.size == folder_bytes(run.path) and len(counted) == 2


def test_links_and_what_cannot_be_looked_at_count_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 1000)
    (tmp_path / "run" / "deep").mkdir(parents=True)
    (tmp_path / "run" / "deep" / "file").write_bytes(b"x" * 10)
    (tmp_path / "run" / "link").symlink_to(tmp_path / "big")
    (tmp_path / "run" / "round").symlink_to(tmp_path / "run")
    os.mkfifo(tmp_path / "run" / "pipe")
    assert folder_bytes(tmp_path / "run") == 10
    assert folder_bytes(tmp_path / "absent") == 0

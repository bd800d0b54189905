"""A queue as a value and as a file: seeds, order, what a hostile file comes to."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from core import recipe as recipes
from core.errors import UserError
from core.events import EarlyStoppingUpdated, RunFailed, RunFinished, RunStarted, RunStopped
from core.queue import changing, seeds, standing
from core.queue.entries import Entry, canonical, find, moved, waiting
from core.queue.folder import QueueFolder
from core.queue.runner import Runner, places
from core.recipe import Recipe
from core.run import lock
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter


@pytest.fixture
def queue(tmp_path: Path) -> QueueFolder:
    return QueueFolder(tmp_path / "runs")


def entry(name: str, **settings: Any) -> Entry:
    return Entry(id=secrets.token_hex(8), name=name, recipe=recipes.to_table(Recipe(name="made")), **settings)


def put(queue: QueueFolder, *entries: Entry) -> None:
    with queue.edit() as there:
        there[:] = entries


def names(entries: Any) -> list[str]:
    return [item.name for item in entries]


@pytest.mark.parametrize(
    ("text", "found"), [("7", (7,)), ("1..5", (1, 2, 3, 4, 5)), ("3,7", (3, 7)), ("0..2, 9", (0, 1, 2, 9)), ("4..4", (4,))]
)
def test_seeds_as_people_write_them(text: str, found: tuple[int, ...]) -> None:
    assert seeds.parse(text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5..1", "5..1 goes down; expected 1..5"),
        ("1..", "expected a seed"), ("..5", "expected a seed"), ("a", "expected a seed"), ("", "expected a seed"),
        ("-1", "expected a seed"), ("1.5", "expected a seed"), ("1,,2", "expected a seed"), ("١", "expected a seed"),
        ("1..3,2", "2 stands there twice"), ("0..1000", "at most 1000 seeds"), ("0..999999999999999999", "at most 1000"),
        ("9" * 19, "expected a seed"),
    ],
)  # fmt: skip
def test_seeds_that_are_none(text: str, words: str) -> None:
    with pytest.raises(UserError, match=r"^--seed ") as raised:
        seeds.parse(text)
    assert words in str(raised.value) and "\n" not in str(raised.value)


def test_an_entry_is_found_by_position_or_name() -> None:
    old, new = entry("a", state="done"), entry("a")
    entries = [old, entry("b", state="training"), new, entry("c")]
    assert find(entries, "2").name == "c" and find(entries, "1") == find(entries, "a") == new
    assert find([old], "a") == old
    for which, words in {"3": "the positions are 1 to 2", "0": "the positions are", "d": "no entry 'd'"}.items():
        with pytest.raises(UserError, match=words):
            find(entries, which)
    with pytest.raises(UserError, match="none is waiting"):
        find([old], "1")


@pytest.mark.parametrize(
    ("which", "to", "order"), [("c", 1, "c a b"), ("a", 3, "b c a"), ("b", 99, "a c b"), ("b", 2, "a b c")]
)
def test_what_waits_is_moved_and_nothing_else(which: str, to: int, order: str) -> None:
    entries = [entry("x", state="done"), entry("a"), entry("y", state="training"), entry("b"), entry("c")]
    after = moved(entries, find(entries, which), to)
    assert " ".join(names(waiting(after))) == order
    assert [(place, item.name) for place, item in enumerate(after) if item.name in "xy"] == [(0, "x"), (2, "y")]


def test_a_queue_is_changed_by_what_people_say(queue: QueueFolder) -> None:
    put(queue, entry("x", state="done"), entry("a"), entry("b"), entry("c"))
    moving, place = changing.move(queue, "3", 1)
    assert (moving.name, place) == ("c", 1)
    (gone,) = changing.cancel(queue, "a")
    assert gone.state == "cancelled" and gone.over > 0
    assert names(waiting(queue.read())) == ["c", "b"]
    with pytest.raises(UserError, match="a is over already: cancelled"):
        changing.cancel(queue, "a")
    with pytest.raises(UserError, match="a does not wait: cancelled"):
        changing.move(queue, "a", 1)
    assert names(changing.cancel(queue, "all")) == ["c", "b"] and changing.cancel(queue, "all") == []
    assert changing.clear(queue) == 4 and queue.read() == () and changing.clear(queue) == 0


def test_no_two_entries_become_one_run(queue: QueueFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.run.session.check", lambda recipe, threads, code: None)  # which loads torch
    base = Recipe(name="made", seed=4)
    RunFolder(queue.runs / "made").create(RunFile(name="made"))
    first = changing.add(queue, changing.Wish(base))
    second = changing.add(queue, changing.Wish(base, seeds=(1, 2)))
    third = changing.add(queue, changing.Wish(base, seeds=(2,)))
    assert names([*first, *second, *third]) == ["made-2", "made-seed-1", "made-seed-2", "made-3"]
    assert [item.seed for item in queue.read()] == [4, 1, 2, 2]
    for name in ("made", "made-2"):
        with pytest.raises(UserError, match=f"--name: {name} is .* already"):
            changing.add(queue, changing.Wish(base, name=name))
    assert names(changing.add(queue, changing.Wish(base, seeds=(5, 6), name="own"))) == ["own-seed-5", "own-seed-6"]


def hostile(**changes: Any) -> bytes:
    fields = {"id": "0" * 16, "name": "a", **changes}
    return msgspec.json.encode({"entries": [fields]})


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"null", b"\xff", b'{"entries": 3}', b"[" * 100_000, hostile()[:-1],
        hostile(name="../../etc"), hostile(name="a/b"), hostile(name=""), hostile(name="a\x1b[2J"), hostile(name="a\n"),
        hostile(id="x"), hostile(state="running"), hostile(device="cpu; rm"), hostile(device="cpu\n"), hostile(threads=0),
        hostile(step=-(1 << 60)), hostile(note="n" * 500), hostile(recipe=[]), hostile(added="now"), hostile(changes="ab"),
        msgspec.json.encode({"entries": [{"id": "0" * 16, "name": "a"}] * 2}),
        msgspec.json.encode({"entries": [{"id": f"{place:016x}", "name": "a"} for place in range(1001)]}),
        b'{"format": 99, "entries": []}',
    ],
)  # fmt: skip
def test_a_hostile_file_is_one_clear_line(queue: QueueFolder, data: bytes) -> None:
    queue.path.mkdir(parents=True)
    queue.file.write_bytes(data)
    for do in (queue.read, lambda: changing.cancel(queue, "all"), lambda: list(Runner(queue, ("cpu",)).go())):
        with pytest.raises(UserError) as raised:
            do()
        assert str(queue.file) in str(raised.value) and "\n" not in str(raised.value)
    assert queue.file.read_bytes() == data


def test_what_is_no_plain_file_is_not_followed(queue: QueueFolder, tmp_path: Path) -> None:
    put(queue, entry("a"))
    elsewhere = tmp_path / "elsewhere"
    queue.file.rename(elsewhere)
    queue.file.symlink_to(elsewhere)
    with pytest.raises(UserError, match="a link, where a plain file was expected"):
        queue.read()
    queue.file.unlink()
    os.mkfifo(queue.file)
    with pytest.raises(UserError, match="cannot be read"):
        queue.read()
    linked = QueueFolder(tmp_path / "other")
    linked.runs.mkdir()
    linked.path.symlink_to(queue.path)
    with pytest.raises(UserError, match="a link, where a folder was expected"):
        put(linked, entry("b"))


def test_the_code_of_a_model_is_that_of_whoever_queued_it(queue: QueueFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.run.session.check", lambda recipe, threads, code: None)
    base = Recipe(name="made", model={"name": "python:mine:net"})
    (own,) = changing.add(queue, changing.Wish(base, code=Path("/tmp/code")))
    assert changing.code_of(own) == Path("/tmp/code")
    for forged in (
        replace(own, code="/tmp/other"),
        replace(own, recipe={**own.recipe, "model": {"name": "python:os:system"}}),
        replace(own, seal="00"),
        replace(own, seal="no hex"),
        entry("plain"),
    ):
        assert changing.code_of(forged) is None


# What became of those that were trained while nobody ran the queue


@pytest.fixture
def trained(queue: QueueFolder) -> Any:
    def make(*events: Any, **settings: Any) -> tuple[Entry, ...]:
        run = RunFolder(queue.runs / "a")
        made = entry("a", state="training", run="1234", **settings)
        run.create(RunFile(id="1234", name="a", recipe=made.recipe))
        with JournalWriter(run.journal) as journal:
            journal.append(RunStarted(epochs=3, steps_per_epoch=10, monitor="val.loss"))
            for event in events:
                journal.append(event)
        put(queue, made)
        return standing.entries_of(queue)

    return make


BEST = EarlyStoppingUpdated(metric="val.loss", value=0.5, best=0.5, best_epoch=2, epoch=2)


@pytest.mark.parametrize(
    ("events", "state", "note"),
    [
        ([BEST, RunFinished(step=30, epoch=3)], "done", "val.loss 0.5000 at epoch 2"),
        ([RunFailed(kind="diverged", reason="the loss is NaN")], "failed", "the loss is NaN"),
        ([RunStopped(step=20, epoch=2)], "cancelled", "stopped by a person"),
        ([RunStopped(step=20, epoch=2, signal=15)], "training", "was cut off; tui-trainer queue run --runs"),
        ([], "training", "was cut off"),
    ],
)
def test_what_came_of_it_meanwhile(trained: Any, events: Any, state: str, note: str) -> None:
    (found,) = trained(*events)
    assert (found.state, note in found.note) == (state, True), found.note


def test_one_that_was_cancelled_does_not_go_on(trained: Any) -> None:
    (found,) = trained(ending=True)
    assert found.state == "cancelled"


def test_another_run_of_its_name_is_not_taken_for_it(trained: Any, queue: QueueFolder) -> None:
    (found,) = trained(RunFinished(step=30, epoch=3))
    put(queue, replace(found, state="training", run="another", note=""))
    (found,) = standing.entries_of(queue)
    assert (found.state, found.note) == ("failed", standing.GONE)
    lines = list(Runner(queue, ("cpu",)).go())
    assert lines == [f"a: failed: {standing.GONE}"] and queue.read()[0].state == "failed"


# Which device


def test_devices_have_one_name_each() -> None:
    assert places(("cpu", "cpu")) == ["cpu"]
    assert [canonical(name) for name in ("auto", "cuda", "cuda:0", "cuda:1", "cpu")] == [
        "",
        "cuda:0",
        "cuda:0",
        "cuda:1",
        "cpu",
    ]


class Starts:
    """In the place of workers: whom the runner would have had begin, and where."""

    def __init__(self, queue: QueueFolder) -> None:
        self.queue, self.begun, self.most = queue, list[tuple[str, str]](), 0
        self.held = dict[str, int]()

    def __call__(self, run: RunFolder, device: str) -> None:
        self.begun.append((run.name, device))
        self.held[run.name] = lock.take(run.lock, patience=0)
        self.most = max(self.most, len(self.held))

    def finish(self, name: str) -> None:
        with JournalWriter(RunFolder(self.queue.runs / name).journal) as journal:
            journal.append(RunStarted(epochs=1, steps_per_epoch=1))
            journal.append(RunFinished(step=1, epoch=1))
        lock.release(self.held.pop(name))


def test_one_run_a_device_and_the_next_when_it_is_free(queue: QueueFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """On two GPUs that this machine need not have; the runs are real folders with real locks and journals."""
    for part in ("core.run.session.check_device", "core.run.session.check"):
        monkeypatch.setattr(part, lambda *given: None)
    pinned = replace(entry("pinned"), recipe=recipes.to_table(Recipe(name="made", device="cuda:1")))
    foreign = replace(entry("foreign"), recipe=recipes.to_table(Recipe(name="made", device="cuda:7")))
    put(queue, entry("a"), entry("b"), foreign, pinned, entry("c"))
    starts = Starts(queue)

    class Stepped(Runner):
        def _sleep(self) -> None:
            """Between two looks the oldest training ends."""
            for name in [*starts.held][:1]:
                starts.finish(name)

    told = list(Stepped(queue, ("cuda", "cuda:1"), start=starts).go())
    assert starts.most == 2
    assert starts.begun[:2] == [("a", "cuda:0"), ("b", "cuda:1")]
    assert dict(starts.begun)["pinned"] == "cuda:1" and "foreign" not in dict(starts.begun)
    assert {item.name: item.state for item in queue.read()} == dict.fromkeys("abc", "done") | {
        "pinned": "done",
        "foreign": "waiting",
    }
    assert told[-1] == "1 entry still waits, for other devices than cuda:0, cuda:1"

"""What is found below a path, and what is said where there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.watching import sources
from core.watching.hyperparameters import read as read_hyperparameters
from core.watching.sources import find
from tests.watching.written import event_file, scalars


def file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(*paths: Path) -> dict[str, str]:
    return {item.name: item.kind.LABEL for item in find(paths)}


def test_runs_of_every_kind_are_found_and_called_by_where_they_lie(tmp_path: Path) -> None:
    event_file(tmp_path / "logs" / "a", scalars([1], {"x": 1}))
    event_file(tmp_path / "keras" / "train", scalars([1], {"x": 1}))
    event_file(tmp_path / "keras" / "validation", scalars([1], {"x": 1}))
    file(tmp_path / "lightning_logs" / "version_3" / "metrics.csv", "epoch,step,loss\n")
    file(tmp_path / "lightning_logs" / "version_4" / "metrics.csv", "epoch,step,loss\n")
    event_file(tmp_path / "lightning_logs" / "version_4", scalars([1], {"x": 1}))
    file(tmp_path / "out" / "log.jsonl", '{"step": 1, "loss": 2}\n')
    file(tmp_path / "results.tsv", "epoch\ttrain_loss\n1\t2\n")
    file(tmp_path / "prices.csv", "when,what\n1,2\n")
    file(tmp_path / ".hidden" / "log.jsonl", '{"step": 1, "loss": 2}\n')
    file(tmp_path / "notes.jsonl", "no json\n")
    assert names(tmp_path) == {
        "logs/a": "TensorBoard", "keras": "TensorBoard", "lightning_logs/version_3": "Lightning CSV",
        "lightning_logs/version_4": "TensorBoard", "out/log": "JSON lines", "results": "CSV",
    }  # fmt: skip
    assert names(tmp_path / "lightning_logs" / "version_3") == {"version_3": "Lightning CSV"}
    assert set(names(tmp_path / "logs", tmp_path / "out")) == {"logs/a", "out/log"}


def test_a_file_that_was_named_need_not_look_like_a_log(tmp_path: Path) -> None:
    assert names(file(tmp_path / "prices.csv", "when,what\n1,2\n")) == {"prices": "CSV"}
    assert names(file(tmp_path / "log.txt", '{"a": 1}\n')) == {"log": "JSON lines"}
    assert names(file(tmp_path / "empty.csv", "")) == {"empty": "CSV"}
    assert names(event_file(tmp_path / "run", b"")) == {"run": "TensorBoard"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("missing", None, "not found; watch takes files and folders in which there are events.out.tfevents.*, version_N"),
        ("notes.txt", "hello\n", "none of what watch reads"),
        ("ours/run.json", "{}", "a run of tui-trainer; look at it with: tui-trainer attach"),
    ],
)
def test_what_cannot_be_watched_is_said(tmp_path: Path, name: str, text: str | None, words: str) -> None:
    path = tmp_path / name
    if text is not None:
        file(path, text)
    with pytest.raises(UserError, match=words.replace("*", ".")):
        find([path.parent if path.name == "run.json" else path])


def test_runs_of_our_own_are_passed_over_and_links_not_followed(tmp_path: Path) -> None:
    file(tmp_path / "runs" / "ours" / "run.json", "{}")
    file(tmp_path / "runs" / "ours" / "events.jsonl", '{"step": 1, "loss": 1}\n')
    (tmp_path / "runs" / "root").symlink_to("/")
    (tmp_path / "runs" / "log.jsonl").symlink_to(file(tmp_path / "elsewhere.jsonl", '{"step": 1, "loss": 1}\n'))
    assert names(tmp_path / "runs") == {}


def test_a_search_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path.joinpath(*["d"] * (sources.DEEPEST + 1))
    event_file(deep, scalars([1], {"x": 1}))
    event_file(deep.parent, scalars([1], {"x": 1}))
    assert list(names(tmp_path)) == ["/".join(["d"] * sources.DEEPEST)]
    for number in range(20):
        event_file(tmp_path / f"run {number}", scalars([1], {"x": 1}))
    monkeypatch.setattr(sources, "MOST", 8)
    assert len(find([tmp_path])) == 8


def test_hyperparameters_of_lightning(tmp_path: Path) -> None:
    text = "lr: 0.001\nname: 'a: b'\nmodel:\n  width: 4\n  layers:\n  - 1\n  - 2\n# no\nempty:\nlast: !!python/object x\n"
    assert read_hyperparameters(file(tmp_path / "hparams.yaml", text)) == {
        "lr": "0.001", "name": "a: b", "model.width": "4", "model.layers": "1, 2", "last": "!!python/object x",
    }  # fmt: skip
    assert read_hyperparameters(tmp_path / "none.yaml") == {}

"""What data are called where others read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.sharing import OnHub, on_hub, shared_source


@pytest.mark.parametrize(
    "source", ["sample", "cifar10", "folder", "torchvision:mnist", "hf:beans", "hf:me/my.cats:small@refs/1"]
)
def test_names_stay(source: str) -> None:
    assert shared_source(source) == source


@pytest.mark.parametrize(
    "path",
    ["/home/me/cats", "/home/me/cats/", "./cats", "../me/cats", "~/cats", "home/me/cats", "C:\\Users\\me\\cats", "C:/me/cats"],
)
def test_of_a_path_the_end_stays(path: str) -> None:
    assert shared_source(f"hf:{path}") == "hf:./cats" and on_hub(f"hf:{path}") is None


def test_a_configuration_stays() -> None:
    assert shared_source("hf:/home/me/cats:small") == "hf:./cats:small"
    assert shared_source(shared_source("hf:/home/me/cats:small")) == "hf:./cats:small"


def test_what_lies_here_is_no_name_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_hub("hf:cats:small@1a2b") == OnHub("cats", "small", "1a2b")
    (tmp_path / "cats").mkdir()
    monkeypatch.chdir(tmp_path)
    assert on_hub("hf:cats:small@1a2b") is None and shared_source("hf:cats") == "hf:./cats"

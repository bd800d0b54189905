"""docs/ against the program: what it says of keys, actions, commands and events is what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents import all_commands, answer_to, blocks, commands, wrong_commands
from tests.tools.make_docs import DOCS, PARTS, documented

README = DOCS.parent / "README.md"
PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_program_knows_is_written_as_it_is(page: Path) -> None:
    """``python -m tests.tools.make_docs`` writes it anew."""
    text = page.read_text("utf-8")
    assert text == documented(text)


def test_every_part_stands_somewhere() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert [name for name in PARTS if f"<!-- {name}: " not in text] == []


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.name)
def test_each_command_on_a_page_is_one_that_the_program_takes(page: Path) -> None:
    assert wrong_commands(page.read_text("utf-8")) == []


def test_commands_are_found_wherever_they_stand() -> None:
    page = """
Like `tui-trainer show last`, not `tui-trainer`.

    ```sh
    A=1 .venv/bin/tui-trainer runs --json | head && uvx tui-trainer doctor  # tui-trainer nothing
    pip install tui-trainer && nohup tui-trainer train quickstart \\
      --require 'test.accuracy>=0.5' > log.txt &
    ```
"""
    assert all_commands(page) == [
        ["runs", "--json"], ["doctor"], ["train", "quickstart", "--require", "test.accuracy>=0.5"], ["show", "last"],
    ]  # fmt: skip
    assert len(all_commands(README.read_text("utf-8"))) > 10
    assert [commands(block) for block in blocks("```sh\ntui-trainer\n```", "sh")] == [[[]]]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("", ""),
        ("--help", ""),
        ("data show cifar10", ""),
        ("tell RUN learning-rate=x0.5", ""),
        ("data shw cifar10", "No such command"),
        ("train quickstart --epoch 2", "No such option"),
        ("train quickstart --epochs two", "valid integer"),
        ("train quickstrat", "not one of"),
        ("train quickstart --set optimizer.lrr=1", "did you mean 'lr'"),
        ("train quickstart --require test.acc>=1", "did you mean 'test.accuracy'"),
        ("report", "Missing"),
    ],
)
def test_a_wrong_command_has_an_answer(words: str, answer: str) -> None:
    found = answer_to(words.split())
    assert answer in found and bool(found) == bool(answer)

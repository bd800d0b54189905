"""The workflows of docs/ci.md: that they are what their servers read, and that their commands and files fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.documents import blocks, commands, wrong_among
from tests.tools.make_docs import DOCS

PAGE = (DOCS / "ci.md").read_text("utf-8")
GITHUB, GITLAB = (yaml.safe_load(text) for text in blocks(PAGE, "yaml"))


def shell(value: Any) -> Iterator[str]:
    """All that a workflow has a shell run."""
    match value:
        case {"run": str(text)}:
            yield text
        case list():
            for item in value:
                yield from shell(item)
        case dict():
            for name, item in value.items():
                yield from (item if name in ("script", "after_script") else shell(item))


def test_the_commands_are_those_of_the_program() -> None:
    for workflow in (GITHUB, GITLAB):
        found = [words for text in shell(workflow) for words in commands(text)]
        assert [words[0] for words in found] == ["train", "report"] and wrong_among(found) == []
        assert "--junit" in found[0] and "--require" in found[0]


def test_each_step_of_github_does_one_thing_whatever_became_of_the_training() -> None:
    steps = GITHUB["jobs"]["train"]["steps"]
    assert all(("run" in step) != ("uses" in step) for step in steps)
    train = next(place for place, step in enumerate(steps) if " train " in step.get("run", ""))
    assert all(step["if"] == "always()" for step in steps[train + 1 :])


def test_what_is_kept_is_what_is_written() -> None:
    kept = steps_paths() | {*GITLAB["train"]["artifacts"]["paths"], GITLAB["train"]["artifacts"]["reports"]["junit"]}
    text = "\n".join([*shell(GITHUB), *shell(GITLAB)])
    written = {*re.findall(r"(?:--junit|-o) (\S+)", text), *(f"runs/{name}" for name in re.findall(r"--name (\S+)", text))}
    assert kept == written == {"junit.xml", "report.html", "runs/ci"}
    assert GITLAB["train"]["artifacts"]["when"] == "always"


def steps_paths() -> set[str]:
    (upload,) = (step for step in GITHUB["jobs"]["train"]["steps"] if "path" in step.get("with", {}))
    return set(upload["with"]["path"].split())

"""docs/ against the program: what it says of keys, actions, commands and events is what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.make_docs import DOCS, PARTS, documented

PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_program_knows_is_written_as_it_is(page: Path) -> None:
    """``python -m tests.tools.make_docs`` writes it anew."""
    text = page.read_text("utf-8")
    assert text == documented(text)


def test_every_part_stands_somewhere() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert [name for name in PARTS if f"<!-- {name}: " not in text] == []

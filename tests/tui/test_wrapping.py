"""Lines no wider than there is room, in which no character is lost."""

from __future__ import annotations

import textwrap

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_trainer.widgets.wrapping import PathWrapper, wrap


def test_a_wide_name_is_broken_where_it_would_leave_the_line() -> None:
    assert wrap("名前テスト運行 ab", 6) == ["名前テ", "スト運", "行 ab"]
    assert wrap("ab 名前テスト", 5) == ["ab 名", "前テ", "スト"]
    lines = PathWrapper(20, subsequent_indent="  ", break_on_hyphens=False).wrap(
        "weights /tmp/名前テスト運行/checkpoints/step-1"
    )
    assert lines == ["weights /tmp/", "  名前テスト運行/", "  checkpoints/step-1"]


@given(st.text(st.sampled_from("ab 名テ-/é\u0301👨"), max_size=60), st.integers(2, 20))
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, width: int) -> None:
    for wrapper in (wrap, lambda text, width: PathWrapper(width, break_on_hyphens=False).wrap(text)):
        lines = wrapper(text, width)
        assert all(cell_len(line) <= width for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.text(st.sampled_from("abc de-f/"), max_size=80), st.integers(1, 30))
def test_narrow_characters_are_wrapped_as_ever(text: str, width: int) -> None:
    assert wrap(text, width) == [line.rstrip() for line in textwrap.wrap(text, width)]

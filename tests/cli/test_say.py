"""Tables keep their columns, whatever stands in them."""

from __future__ import annotations

from rich.cells import cell_len

from tui_trainer.cli.say import WIDEST, table


def test_columns_are_aligned_by_what_a_terminal_shows() -> None:
    rows = table([("名前", "1", "x"), ("e\u0301", "10", "y"), ("plain", "100", "z")], right=(1,))
    assert len({cell_len(row) for row in rows}) == 1


def test_long_cells_are_cut_save_in_the_last_column() -> None:
    first, second = table([("n" * 100, "a" * 100), ("名" * 50, "b")])
    assert first == f"{'n' * (WIDEST - 1)}…  {'a' * 100}"
    assert second.startswith("名" * 29 + "…") and cell_len(second) == cell_len(first) - 99


def test_a_cell_that_just_fits_stays() -> None:
    assert table([("n" * WIDEST, "x")]) == [f"{'n' * WIDEST}  x"]

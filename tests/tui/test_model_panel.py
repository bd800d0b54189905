"""The lines of the model panel: long names keep their end, rates and what is frozen stand beside them."""

from __future__ import annotations

import pytest

from core.models import Layer
from tui_trainer.panels import model
from tui_trainer.theme import DARK, palette

COLOURS = palette(DARK.to_color_system().generate())
DEEP = Layer("features.12.block.1.scale_activation", "Hardsigmoid", (576, 1, 1), 0, 0)
HEAD = Layer("classifier.3", "Linear", (10,), 10_250, 10_240, 0, (0.001, 0.01))
FROZEN = Layer("features.0.0", "Conv2d", (16, 16, 16), 0, 110_592, 432)


@pytest.mark.parametrize(
    ("width", "rated", "name"), [(36, False, "…ivation"), (64, False, "…_activation"), (78, True, "…tivation")]
)
def test_every_line_has_the_width_of_the_panel_and_long_names_keep_their_end(width: int, rated: bool, name: str) -> None:
    lines = [model._layer(layer, rated, width, COLOURS).plain for layer in (DEEP, HEAD, FROZEN)]
    assert {len(line) for line in lines} == {width}
    assert lines[0].split()[0].startswith("…") and lines[0].split()[0].endswith(name[1:])


def test_rates_stand_at_the_end_where_there_are_several() -> None:
    assert model._layer(HEAD, True, 78, COLOURS).plain.endswith("10.2k   10.2k  0.001..0.01")
    assert model._layer(FROZEN, True, 78, COLOURS).plain.endswith("432    111k       frozen")
    assert model._layer(FROZEN, False, 78, COLOURS).plain.endswith("432    111k")

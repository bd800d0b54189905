from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text
from textual.geometry import Size

from core.errors import UserError
from core.run.folder import RunFolder
from core.view.readings import format_count
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.wrapping import wrap

if TYPE_CHECKING:
    from core.models import Layer
    from core.run.describe import Description

OUTPUT, NUMBER, KIND, RATE = 12, 8, 16, 13
"""Columns with the gap before them."""
ROOMY = 64
"""Columns from which on there is room for the kinds of the layers."""
NARROWEST = 8


class Network(NamedTuple):
    description: Description | None
    trouble: str
    told: str = ""
    """Of a network that only its own program knows."""


class Model(Panel[Network]):
    """The network's layers: the shape of what each gives, its parameters and its multiply-accumulates for one image."""

    NAME = "model"
    PAGE = "details"
    SLOT = "left"
    RANK = 20
    UNTOLD = "these files do not describe the network"

    _network = Network(None, "")
    _asked = False

    def reads(self, state: State, now: float) -> Network:
        if state.program:
            return Network(None, "", _of_program(state))
        if not self._asked:  # only once somebody looks: the answer may take as long as importing torch
            self._asked = True
            threading.Thread(target=self._ask, name="describe", daemon=True).start()
        return self._network

    @property
    def busy(self) -> bool:
        return self._asked and self._reads == Network(None, "")

    def draw(self, reads: Network, size: Size, colours: Palette) -> Sequence[Text]:
        if reads.trouble:
            return [Text(line, colours.bad) for line in wrap(printable(reads.trouble), size.width)]
        if reads.told:
            return [Text(line, colours.muted) for line in wrap(printable(reads.told), size.width)]
        if reads.description is None:
            return [Text("asking torch for the layers ...", colours.muted)]
        layers = reads.description.layers
        rated = size.width >= ROOMY + RATE and any(layer.rates or layer.frozen for layer in layers)
        lines = [_line("layer", "kind", "output", "params", "MACs", "rate" if rated else None, size.width)]
        lines[0].stylize(colours.muted)
        return lines + [_layer(layer, rated, size.width, colours) for layer in layers]

    def title(self, reads: Network, colours: Palette) -> Text:
        title = Text(self.NAME)
        if (found := reads.description) is not None:
            frozen = f" + {format_count(found.frozen)} frozen" if found.frozen else ""
            title.append(f"  {found.parameters:,} parameters{frozen}  {format_count(found.macs)} MACs", colours.muted)
        return title

    def _ask(self) -> None:
        try:
            self._network = Network(_described(self.run), "")
        except UserError as error:
            self._network = Network(None, str(error))


def _of_program(state: State) -> str:
    known = (state.model, f"{state.parameters:,} parameters" if state.parameters else "")
    size = f"{', '.join(filter(None, known))}. " if state.model else ""
    return f"{size}The network is built by this run's own program, {state.program}, which alone knows its layers."


def _described(run: RunFolder) -> Description:
    from core import data  # with numpy, which the first frame does without
    from core.recipe import from_table
    from core.run.code import permitted
    from core.run.describe import describe
    from core.run.program import recipe_of

    recipe = from_table(recipe_of(run), str(run.run_file))
    return describe(recipe, data.known_inputs(recipe.data), permitted(run))


def _layer(layer: Layer, rated: bool, width: int, colours: Palette) -> Text:
    output = "x".join(map(str, layer.output))
    parameters, macs = (format_count(number) if number else "-" for number in (layer.parameters + layer.frozen, layer.macs))
    line = _line(printable(layer.name), printable(layer.kind), output, parameters, macs, layer.rate if rated else None, width)
    line.stylize(colours.text if layer.parameters else colours.muted)
    return line


def _line(name: str, kind: str, output: str, parameters: str, macs: str, rate: str | None, width: int) -> Text:
    """``rate`` is None where all have the same."""
    kinds = kind[: KIND - 1].rjust(KIND) if width >= ROOMY else ""
    rates = "" if rate is None else rate[: RATE - 1].rjust(RATE)
    numbers = kinds + output.rjust(OUTPUT) + parameters.rjust(NUMBER) + macs.rjust(NUMBER) + rates
    room = max(NARROWEST, width - len(numbers))
    left = Text(f"…{name[1 - room :]}" if len(name) > room and name.isascii() else name)  # the end tells more
    left.truncate(room, overflow="ellipsis", pad=True)
    return left.append(numbers)

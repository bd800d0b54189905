from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.geometry import Size

from core.view.readings import Confusion, confusion_words, confusions
from core.view.state import State
from tui_trainer.comparison import Compared
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.comparing import ComparingPanel
from tui_trainer.widgets.glyphs import ASCII, cut, glyphs
from tui_trainer.widgets.wrapping import wrap

MOST = 100


class Confusions(ComparingPanel[Compared]):
    """The pairs of classes that are most often mixed up, in words."""

    NAME = "most often wrong"
    SLOT = "right"
    RANK = 20
    UNTOLD = "these files tell of no classes"
    HINT = HINT_COMPARED = ()

    def reads(self, state: State, now: float) -> Compared:
        return self.comparison.look(state)

    def draw(self, reads: Compared, size: Size, colours: Palette) -> Sequence[Text]:
        later, earlier = reads.later, reads.earlier
        pairs = confusions(later, MOST) if later else []
        if not pairs:
            words = "no image was taken for another class" if later and later.confusion else "nothing yet"
            return [Text(line, colours.muted) for line in wrap(words, size.width)]
        if not earlier:
            return [cut(Text(printable(confusion_words(pair)), colours.text), size.width) for pair in pairs]
        before = {(pair.truth, pair.taken_for): pair.images for pair in confusions(earlier, 64 * 64)}
        return [_compared(pair, before.get((pair.truth, pair.taken_for), 0), size.width, colours) for pair in pairs]


def _compared(pair: Confusion, before: int, width: int, colours: Palette) -> Text:
    colour = colours.muted if before == pair.images else colours.good if pair.images < before else colours.bad
    arrow = "->" if glyphs() is ASCII else "→"
    line = Text(printable(f"{pair.truth} taken for {pair.taken_for}: {before:,} {arrow} "), colours.text)
    return cut(line.append(f"{pair.images:,}", colour), width)

"""Many kills, drawn from a seed over all points, recipes and moments, and what came of them."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from tests.torture.harness import Kill, Outcome, Torture, differences
from tests.torture.recipes import RECIPES
from tests.torture.worker import POINTS

RANDOM_MOMENTS = 6
"""To as many as there are points."""
LARGEST_NTH = 4
KILLS_OF_A_RUN = 6
AT_ONCE = 2
MOST_FAILURES = 5
"""After so many runs gone wrong the others would say nothing new."""


@dataclass
class Row:
    """What is printed of one kind of kill."""

    kills: int = 0
    redone: int = 0
    unequal: int = 0


class Campaign:
    """At least ``kills`` kills in runs below ``folder``. The seed decides which; how far a process gets by a random moment,
    and with it whether a later point is still passed, is the machine's part."""

    def __init__(self, folder: Path, kills: int, seed: int) -> None:
        self.folder, self.kills, self.seed = folder, kills, seed
        self.rows: dict[str, Row] = {}
        self.failures: list[str] = []
        self._lock, self._random = Lock(), random.Random(seed)
        self._points: list[str] = []
        self._put_off: list[Kill] = []
        self._runs, self._longest, self._seconds = 0, 0.0, 0.0

    @property
    def done(self) -> int:
        return sum(row.kills for row in self.rows.values())

    def carry_out(self) -> None:
        started = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            expected = dict(zip(RECIPES, pool.map(self._reference, RECIPES), strict=True))
            list(pool.map(lambda _: self._kill_runs(expected), range(AT_ONCE)))
        self._seconds = time.monotonic() - started

    def summary(self) -> str:
        """A table: the point, how often killed there, most steps taken again after it, kills of runs that ended otherwise."""
        lines = [f"{'killed':<40} {'kills':>5} {'steps re-done':>13} {'unequal':>7}"]
        for point, row in sorted(self.rows.items()):
            lines.append(f"{point:<40} {row.kills:>5} {row.redone:>13} {row.unequal:>7}")
        equal = self.done - sum(row.unequal for row in self.rows.values())
        ended = f"{equal} of {self.done} kills in {self._runs} runs of {len(RECIPES)} recipes ended in the same bits"
        return "\n".join([*lines, f"{ended}; seed {self.seed}, {self._seconds:.0f} s", *self.failures])

    def _reference(self, name: str) -> Outcome:
        started = time.monotonic()
        torture = Torture(self.folder / f"untouched-{name.replace(' ', '-')}", name)
        torture.session()
        self._longest = max(self._longest, time.monotonic() - started)
        return torture.outcome()

    def _kill_runs(self, expected: dict[str, Outcome]) -> None:
        while following := self._next():
            number, kills = following
            name = list(RECIPES)[number % len(RECIPES)]
            self._kill(Torture(self.folder / f"killed-{number}", name), kills, expected[name])

    def _next(self) -> tuple[int, list[Kill]] | None:
        """Number and kills of another run; None when there were enough."""
        with self._lock:
            if self.done >= self.kills or len(self.failures) >= MOST_FAILURES:
                return None
            self._runs += 1
            kills, self._put_off = self._put_off[:KILLS_OF_A_RUN], self._put_off[KILLS_OF_A_RUN:]
            return self._runs, [*kills, *(self._drawn() for _ in range(KILLS_OF_A_RUN - len(kills)))]

    def _drawn(self) -> Kill:
        if not self._points:
            self._points = [*POINTS, *[""] * RANDOM_MOMENTS]
            self._random.shuffle(self._points)
        if point := self._points.pop():
            return Kill(point, self._random.randint(1, LARGEST_NTH))
        return Kill(after=self._random.uniform(0.0, self._longest))

    def _kill(self, torture: Torture, kills: list[Kill], expected: Outcome) -> None:
        survived, problem = list[tuple[str, int]](), ""
        try:
            for kill in kills:
                if not torture.session(kill):
                    assert survived or kill.nth > 1 or not kill.point, f"a whole run never passed '{kill.point}'"
                    break
                survived.append((kill.point or "at a random moment", len(torture.redone)))
            else:
                torture.session()
            torture.check_answers()
            problem = "; ".join(differences(torture.outcome(), expected))
        except AssertionError as error:
            problem = str(error)
        with self._lock:
            self._note(torture, survived, problem)
            if problem:
                self.failures.append(f"FAILED {torture.name} in {torture.run.path}, killed {kills}: {problem}")
            else:
                self._put_off += put_off(kills[len(survived) :])

    def _note(self, torture: Torture, survived: list[tuple[str, int]], problem: str) -> None:
        for point, resumes in survived:
            row = self.rows.setdefault(point, Row())
            row.kills += 1
            row.redone = max(row.redone, *torture.redone[resumes : resumes + 1], 0)
            row.unequal += bool(problem)


def put_off(kills: list[Kill]) -> list[Kill]:
    """Those that a run's end came before. The first was not passed so often as to count; once every run passes it."""
    return [Kill(kill.point) for kill in kills[:1] if kill.point] + kills[1:]

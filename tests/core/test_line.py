"""Whatever a run was told and whenever it was killed: it goes on from the checkpoint that a person would expect, and what a
person has named is never deleted."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from core import checkpoint
from core.checkpoint import Best, Manifest
from core.events import RunRewound
from core.run import line
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from tests.core.training import new_run, tiny

Told = tuple[str, int]
"""``step`` some further, ``save`` and ``name`` there, ``back`` to one that there is, or ``killed`` soon after that was said."""
told: st.SearchStrategy[list[Told]] = st.lists(
    st.tuples(st.sampled_from(["step", "save", "save", "name", "back", "killed"]), st.integers(0, 5)), max_size=14
)


class Model:
    """A run that only saves and goes back; ``expected`` are the checkpoints of its line, oldest first."""

    def __init__(self, run: RunFolder) -> None:
        self.run, self.step = run, 0
        self.expected, self.named = list[str](), set[str]()
        self.save("")

    def save(self, name: str) -> None:
        number = line.present(self.run).number
        manifest = Manifest(step=self.step, epoch=1, name=name, line=number, files={})
        place = checkpoint.publish(self.run.checkpoints, manifest, {"state.json": str(len(self.named)).encode()})
        self.expected.append(place.name)
        self.named |= {name} - {""}

    def go_back(self, to: str, killed: bool) -> None:
        with JournalWriter(self.run.journal) as journal:
            journal.append(RunRewound(checkpoint=to, asked=True))
        self.step = checkpoint.position(to)[0]
        del self.expected[self.expected.index(to) + 1 :]
        for number, _ in enumerate(line.present(self.run).clear(self.run.checkpoints)):
            if killed and number == 0:
                break
        list(line.present(self.run).clear(self.run.checkpoints))  # by the next session

    def take(self, kind: str, number: int) -> None:
        match kind:
            case "step":
                self.step += number
            case "save" | "name":
                self.save(f"n{len(self.named)}" if kind == "name" else "")
            case _:
                self.go_back(self.expected[number % len(self.expected)], kind == "killed")


@settings(max_examples=30, deadline=None)
@given(told)
def test_the_newest_is_that_of_the_line(told: list[Told]) -> None:
    with TemporaryDirectory() as folder:
        model = Model(new_run(Path(folder) / "run", tiny()))
        for kind, number in told:
            model.take(kind, number)
            places = checkpoint.listing(model.run.checkpoints)
            assert [place.name for place in places] == model.expected
        kept = [*places, *model.run.checkpoints.glob(f"{line.LEFT}*")] if told else []
        assert {checkpoint.read_manifest(place).name for place in kept} >= (model.named if told else set())


def test_pointers_do_not_name_what_was_left(tmp_path: Path) -> None:
    model = Model(new_run(tmp_path / "run", tiny()))
    for step, name in ((3, ""), (5, "mine"), (7, "")):
        model.step = step
        model.save(name)
    folder = model.run.checkpoints
    checkpoint.point(folder, "best", Best("step-00000007"))
    with JournalWriter(model.run.journal) as journal:
        journal.append(RunRewound(checkpoint="step-00000003", asked=True))
        journal.append(RunRewound(checkpoint="step-00000000"))  # by itself: not to another line
    said = list(line.present(model.run).clear(folder))
    assert [type(event).__name__ for event in said] == ["CheckpointRemoved", "MessageLogged"]
    assert checkpoint.pointed(folder, "last") == Best("step-00000003")
    assert checkpoint.read_pointer(folder / "best.json") is None
    assert list(line.present(model.run).clear(folder)) == []


def test_a_damaged_one_is_left_to_those_who_set_it_aside(tmp_path: Path) -> None:
    model = Model(new_run(tmp_path / "run", tiny()))
    model.step = 3
    model.save("")
    (model.run.checkpoints / "step-00000003" / checkpoint.MANIFEST).write_bytes(b"{")
    with JournalWriter(model.run.journal) as journal:
        journal.append(RunRewound(checkpoint="step-00000000", asked=True))
    assert list(line.present(model.run).clear(model.run.checkpoints)) == []
    assert (model.run.checkpoints / "step-00000003").is_dir()

"""Bytes from outside are taken or refused in words; nothing crashes, hangs, or fills the memory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import fuzzing
from tests.fuzz.fuzzing import Late, fuzz, limited
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import REFUSALS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_good_inputs_are_taken(name: str, tmp_path: Path) -> None:
    """Else the mutations would begin from what is refused anyway."""
    target, good = TARGETS[name]
    assert any(target(data, tmp_path) for data in good())


@pytest.mark.parametrize("name", TARGETS)
def test_bad_inputs_are_refused_in_words(name: str, tmp_path: Path) -> None:
    result = fuzz(name, 300, 1, tmp_path)
    assert result.finds == []
    assert result.refusals or result.taken < result.inputs


def test_an_input_that_hangs_its_reader_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "SLOWEST", 0.05)
    with pytest.raises(Late), limited():
        while True:
            pass


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(chance=st.randoms(use_true_random=False), name=st.sampled_from(sorted(TARGETS)))
def test_what_hypothesis_chooses_is_refused_in_words(chance: Random, name: str) -> None:
    """The same mutations; a failure comes back as the fewest and smallest ones that still fail."""
    target, good = TARGETS[name][0], TARGETS[name][1]()
    with TemporaryDirectory() as folder, suppress(*REFUSALS):
        target(mutated(chance, chance.choice(good), chance.choice(good)), Path(folder))


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TARGETS)
def test_ten_thousand_of_each(name: str, tmp_path: Path) -> None:
    assert fuzz(name, 10_000, 0, tmp_path).finds == []

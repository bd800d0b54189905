"""Runs that nobody touched, each trained once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

import pytest

from tests.torture.harness import Outcome, Torture

Untouched: TypeAlias = "Callable[[str], Future[Outcome]]"


@pytest.fixture(scope="session")
def pool() -> Iterator[ThreadPoolExecutor]:
    """For two runs at a time."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="session")
def untouched(pool: ThreadPoolExecutor, tmp_path_factory: pytest.TempPathFactory) -> Untouched:
    """What the run of a recipe ends with."""
    folder = tmp_path_factory.mktemp("untouched")
    return functools.cache(lambda name: pool.submit(Torture(folder / name.replace(" ", "-"), name).finish))

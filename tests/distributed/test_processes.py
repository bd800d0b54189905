"""What a process is told by the launcher that started it."""

from __future__ import annotations

import pytest

from core.errors import UserError
from core.run.processes import Processes, present


def test_alone_unless_a_launcher_says_otherwise() -> None:
    assert present({}) == Processes() and not present({"WORLD_SIZE": "1", "RANK": "0"}).several
    told = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "TORCHELASTIC_MAX_RESTARTS": "2"}
    assert present(told) == Processes(5, 8, 1, 4, 0, 2)
    assert present(told).may_restart and not present({**told, "TORCHELASTIC_RESTART_COUNT": "2"}).may_restart


@pytest.mark.parametrize(
    "wrong", [{"RANK": "first", "WORLD_SIZE": "2"}, {"RANK": "2", "WORLD_SIZE": "2"}, {"WORLD_SIZE": "-1"}]
)
def test_nonsense_is_said_in_a_line(wrong: dict[str, str]) -> None:
    with pytest.raises(UserError, match="expected"):
        present(wrong)


def test_threads_are_shared_by_the_processes_of_a_machine() -> None:
    assert Processes().threads(None) is None and Processes().threads(3) == 3
    assert [Processes(0, 8, 0, size).threads(4) for size in (1, 2, 4, 8)] == [4, 2, 1, 1]

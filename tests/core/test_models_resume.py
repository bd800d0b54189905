"""Networks that draw while they train: stopped or killed and resumed, they end with the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import checkpoint
from core.commands import Save, Stop
from core.recipe import Recipe
from tests.core.training import STEPS, Script, fingerprint, last_progress, new_run, tiny, train

NETWORKS: dict[str, dict[str, object]] = {
    "shakeshake": {"name": "shakeshake", "depth": 8, "channels": 4},
    "preact": {"name": "preact", "blocks": [1, 1], "channels": [4, 8], "stochastic_depth": 0.5, "dropout": 0.2, "squeeze": 2},
    "wideresnet": {"name": "wideresnet", "depth": 10, "width": 1, "dropout": 0.3},
}


def training_of(network: str) -> Recipe:
    optimizer = {"name": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True, "sam": 0.02}
    return tiny(model=NETWORKS[network], optimizer=optimizer, epochs=2)


@pytest.mark.parametrize("network", NETWORKS)
def test_twice_interrupted_within_an_epoch_it_ends_with_the_same_bits(tmp_path: Path, network: str) -> None:
    whole, stopped = (new_run(tmp_path / name, training_of(network)) for name in ("whole", "stopped"))
    train(whole)
    killed, again = Script(), Script()
    killed.at, killed.kill_at = {2: [Save()]}, 4
    again.at = {STEPS + 2: [Stop()]}
    train(stopped, killed)
    assert checkpoint.position(checkpoint.listing(stopped.checkpoints)[-1].name)[0] == 2
    train(stopped, again)
    train(stopped)
    assert fingerprint(stopped) == fingerprint(whole)
    assert last_progress(stopped) == last_progress(whole)


def test_another_seed_draws_otherwise(tmp_path: Path) -> None:
    runs = [new_run(tmp_path / str(seed), tiny(model=NETWORKS["shakeshake"], epochs=1, seed=seed)) for seed in (0, 1)]
    for run in runs:
        train(run)
    assert fingerprint(runs[0]) != fingerprint(runs[1])

"""Images that would crowd the memory stay in their file, and change no bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core import data
from core.data import decoded
from core.data.mapped import Mapped
from core.events import PicturesLogged
from core.sections import Data
from core.training import device, memory
from core.training import setup as setups
from tests.core.training import fingerprint, new_run, tiny, train

PIXELS = np.random.RandomState(0).randint(0, 256, (60, 16, 16, 3)).astype(np.uint8)
MODEL = {"name": "resnet", "blocks": [1, 1], "channels": 8, "pool": 8}


def recipe(folder: Path) -> object:
    np.savez(folder / "mine.npz", images=PIXELS, labels=np.arange(60) % 3)
    settings = {"source": "arrays", "path": str(folder / "mine.npz"), "validation": 0.2, "size": 16, "limit": 30}
    return tiny(data=settings, epochs=2, model=MODEL)


def test_a_training_from_the_file_gives_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = recipe(tmp_path)
    found = []
    for name, free in (("memory", 1 << 40), ("file", 2 * 3 * 16 * 16 * 30 - 1)):
        monkeypatch.setattr(memory, "available", lambda free=free: free)
        setup = setups.prepare(chosen, 1, data.silent)  # type: ignore[arg-type]
        assert isinstance(setup.train.images, Mapped) == (name == "file")
        assert any("are read from the cache" in note for note in setup.notes) == (name == "file")
        said = train(run := new_run(tmp_path / name, chosen))  # type: ignore[arg-type]
        found.append((fingerprint(run), [event.media for event in said if isinstance(event, PicturesLogged)]))
    assert found[0] == found[1] and found[0][1]


def test_it_gives_what_a_tensor_gives() -> None:
    indices = np.array([5, 2, 40, 41, 7])
    mapped, tensor = Mapped(PIXELS, indices), torch.from_numpy(PIXELS[indices])
    assert mapped.shape == tensor.shape and len(mapped) == 5
    for chosen in (slice(1, 3), slice(3, 99), torch.tensor([4, 0]), slice(None)):
        assert torch.equal(mapped[chosen], tensor[chosen])
    assert torch.equal(mapped.index_select(0, torch.tensor([3, 3, 1])), tensor[[3, 3, 1]])


def test_half_of_the_free_memory_is_for_images(monkeypatch: pytest.MonkeyPatch) -> None:
    host = torch.device("cpu")
    monkeypatch.setattr(memory, "available", lambda: 1000)
    assert device.storage(500, host) == host and device.storage(501, host) is None


@pytest.mark.parametrize(("limit", "free"), [("900", 900 - 500 + 100), ("max", None), ("600", 200)])
def test_a_container_has_what_it_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, free: int | None
) -> None:
    for name, text in (("max", limit), ("current", "500"), ("stat", "anon 400\ninactive_file 100\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory.available() == free if free else memory.available() > 1 << 20


def test_a_fingerprint_does_not_depend_on_how_much_is_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = data.load(Data(source="sample"))
    whole = decoded.fingerprint_of(dataset), decoded._measure(dataset.train.pixels)
    monkeypatch.setattr(decoded, "CHUNK", 10_000)
    assert (decoded.fingerprint_of(dataset), decoded._measure(dataset.train.pixels)) == whole

"""Saying what is in very many images: in order, as they come, in bounded memory, and whatever is among them."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from PIL import Image

import core
from core.data.images import below
from core.errors import UserError
from core.predicted import BATCH, Prediction, Refused
from tests.cli.test_pipes import image, weights


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    path.write_bytes(weights())
    return path


def noise(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{number:04}.png" for number in range(count)]
    for path in paths:
        path.write_bytes(image())
    return paths


def bomb(path: Path) -> Path:
    """A few bytes that say they are an image of 400 megapixels."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)))
    parts = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def test_those_that_cannot_be_read_are_refused_one_by_one(model: Path, tmp_path: Path) -> None:
    good = noise(tmp_path, 5)
    torn, text = tmp_path / "torn.png", tmp_path / "text.jpg"
    torn.write_bytes(good[0].read_bytes()[:-30])
    text.write_text("no image")
    large = tmp_path / "large.png"  # more than Pillow takes without a word, less than it refuses by itself
    Image.new("1", (10_000, 9_000)).save(large)
    bad = {torn: "cannot be decoded", text: "not a PNG", bomb(tmp_path / "bomb.png"): "larger than 89", large: "larger than 89"}
    mixed = [path for pair in zip(good, [*bad, tmp_path / "none.png"], strict=True) for path in pair]
    before = list(warnings.filters)
    found = list(core.predictions(model, mixed, batch=3))
    assert list(warnings.filters) == before
    assert [item.path for item in found] == [str(path) for path in mixed]
    assert [type(item) for item in found] == [Prediction, Refused] * 5
    for item, words in zip(found[1::2], [*bad.values(), "no such file"], strict=True):
        assert isinstance(item, Refused) and words in item.reason and item.path in item.reason
    alone = [core.predict(model, [path])[0] for path in good]
    for together, single in zip(found[::2], alone, strict=True):
        assert isinstance(together, Prediction) and together.top == pytest.approx(single.top, abs=1e-5)


def counted(paths: Iterable[Path], taken: list[Path]) -> Iterator[Path]:
    for path in paths:
        taken.append(path)
        yield path


def test_many_are_not_read_before_the_first_is_told(model: Path, tmp_path: Path) -> None:
    (path,) = noise(tmp_path, 1)
    taken: list[Path] = []
    told = 0
    for item in core.predictions(model, counted([path] * 2_000, taken)):
        told += 1
        assert isinstance(item, Prediction) and len(taken) - told < BATCH
    assert told == len(taken) == 2_000


def test_with_a_batch_of_one_each_is_told_before_the_next_is_asked_for(model: Path, tmp_path: Path) -> None:
    taken: list[Path] = []
    for told, _ in enumerate(core.predictions(model, counted(noise(tmp_path, 4), taken), batch=1), 1):
        assert len(taken) == told


def test_who_has_seen_enough_waits_for_no_more(model: Path, tmp_path: Path) -> None:
    taken: list[Path] = []
    found = core.predictions(model, counted(noise(tmp_path, 1) * 100_000, taken))
    next(found)
    found.close()  # as the end of a loop does
    assert len(taken) == BATCH


def test_wrong_weights_are_told_before_any_image_is_asked_for(tmp_path: Path) -> None:
    taken: list[Path] = []
    with pytest.raises(UserError, match="No such file"):
        core.predictions(tmp_path / "none.safetensors", counted([tmp_path], taken))
    assert taken == []


def test_images_below_a_folder(tmp_path: Path) -> None:
    for name in ("b.png", "a/c.JPG", "a/.hidden.png", "a/notes.txt", ".trash/d.png", "z/e/f.webp"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    found = [path for path in below(tmp_path) if isinstance(path, Path)]
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a/c.JPG", "b.png", "z/e/f.webp"]

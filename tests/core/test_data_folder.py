"""A user's own images, whatever is wrong with them."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from core import data
from core.data import images
from core.data.images import Form, read_image
from core.errors import UserError
from core.models import Inputs
from core.sections import Data


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))


def picture(path: Path, colour: tuple[int, int, int] = (10, 20, 30), size: tuple[int, int] = (8, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes: three and two training images, one test image each."""
    root = tmp_path / "pictures"
    for name, count in (("zebra", 3), ("ant", 2)):
        for number in range(count):
            picture(root / "train" / name / f"{number}.png", (number, 100, 255 if name == "ant" else 0))
        picture(root / "test" / name / "0.PNG", (7, 7, 7))
    return root


def load(root: Path, progress: data.Progress = data.silent, size: int = 8) -> data.Dataset:
    return data.load(Data(source="folder", path=str(root), size=size), progress)


def decoded(tmp_path: Path) -> Path:
    return next(entry for entry in (tmp_path / "cache" / "decoded").iterdir() if entry.is_dir())


def fails(root: Path, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as error:
        load(root)
    assert str(error.value).isprintable()


def test_classes_order_and_pixels(root: Path) -> None:
    dataset = load(root)
    assert dataset.classes == ("ant", "zebra")
    assert dataset.train.labels.tolist() == [0, 0, 1, 1, 1] and dataset.test.labels.tolist() == [0, 1]
    assert dataset.train.pixels.shape == (5, 3, 8, 8)
    assert dataset.train.pixels[:, :, 0, 0].tolist() == [[0, 100, 255], [1, 100, 255], [0, 100, 0], [1, 100, 0], [2, 100, 0]]
    assert data.inputs(Data(source="folder", path=str(root), size=8)) == Inputs(2, 3, 8)


def test_normalisation_is_of_the_training_pixels(root: Path) -> None:
    dataset = load(root)
    pixels = dataset.train.pixels / 255
    assert np.allclose(dataset.mean, pixels.mean((0, 2, 3)))
    assert np.allclose(dataset.std, np.maximum(pixels.std((0, 2, 3)), 1 / 255))  # green has one value: not 0


def test_any_size_and_mode_comes_to_the_square(root: Path) -> None:
    for number, (mode, suffix) in enumerate([("L", "jpg"), ("P", "png"), ("RGBA", "webp"), ("RGB", "bmp"), ("1", "png")]):
        Image.new(mode, (5 + 40 * number, 50)).save(root / "train" / "ant" / f"more{number}.{suffix}")
    assert load(root, size=16).train.pixels.shape == (10, 3, 16, 16)


def test_resampling_takes_the_centre_with_antialiasing(tmp_path: Path) -> None:
    columns = np.zeros((64, 192, 3), np.uint8)
    columns[:, 64:128:2] = 255  # stripes of one pixel in the middle, black on both sides
    Image.fromarray(columns).save(tmp_path / "x.png")
    result = read_image(tmp_path / "x.png", Form(16))
    assert abs(int(result[:, :, 2:-2].mean()) - 127) <= 2
    assert result[:, :, 2:-2].std() < 3


def test_an_image_of_the_size_keeps_its_pixels(tmp_path: Path) -> None:
    pixels = np.random.RandomState(0).randint(0, 256, (16, 16, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    assert np.array_equal(read_image(tmp_path / "x.png", Form(16)), pixels.transpose(2, 0, 1))


def test_a_photo_is_turned_upright(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # taken upside down
    Image.fromarray(pixels).save(tmp_path / "x.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "x.png", Form(16)), pixels[::-1].transpose(2, 0, 1))


def test_hidden_files_other_files_and_loops_are_passed_over(root: Path) -> None:
    (root / "train" / "ant" / "notes.txt").write_text("x")
    (root / "train" / "ant" / "._0.png").write_text("x")
    (root / "train" / ".cache").mkdir()
    (root / "train" / "ant" / "again").symlink_to(root / "train")
    assert len(load(root).train.labels) == 5


def test_links_to_files_and_folders_outside_are_followed(root: Path, tmp_path: Path) -> None:
    outside = picture(tmp_path / "elsewhere" / "b" / "1.png").parent
    (root / "train" / "bee").symlink_to(outside)
    (root / "test" / "bee").symlink_to(outside)
    (root / "train" / "ant" / "linked.png").symlink_to(outside / "1.png")
    assert len(load(root).train.labels) == 7


def test_no_path_is_one_line() -> None:
    settings = Data(source="folder")
    assert "needs data.path" in data.availability(settings).hint
    with pytest.raises(UserError, match=r"needs data.path \(or --data PATH\): a folder with CLASS/"):
        data.load(settings)


@pytest.mark.parametrize("split", ["test", "val"])
def test_images_for_test_alone_are_nothing_to_train_on(split: str, root: Path) -> None:
    (root / "test").rename(root / split)
    (root / "train").rename(root / "other")
    fails(root, "the folder 'train' is missing; expected a folder with CLASS/")
    availability = data.availability(Data(source="folder", path=str(root)))
    assert not availability.ready and "'train' is missing" in availability.hint


def test_an_empty_class_is_named(root: Path) -> None:
    (root / "train" / "bee").mkdir()
    fails(root, "bee': the class has no images")


def test_a_class_in_one_split_only_is_named(root: Path) -> None:
    picture(root / "test" / "yak" / "0.png")
    fails(root, "the class 'yak' is in 'test' but not in 'train'")
    picture(root / "train" / "yak" / "0.png")
    picture(root / "train" / "bee" / "0.png")
    fails(root, "the class 'bee' is in 'train' but not in 'test'")


def test_no_images_at_all(tmp_path: Path) -> None:
    for split in ("train", "test"):
        picture(tmp_path / "flat" / split / "0.png")
    fails(tmp_path / "flat", "0 classes found, at least 2 needed")


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp"])
def test_a_truncated_image_is_named(suffix: str, root: Path) -> None:
    path = picture(root / "train" / "ant" / f"torn.{suffix}", size=(300, 300))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    fails(root, rf"torn\.{suffix}': cannot be decoded \(.*\); replace the file or remove it")


@pytest.mark.parametrize("content", [b"", b"text", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_what_is_no_image_is_named(content: bytes, root: Path) -> None:
    (root / "train" / "ant" / "bad.png").write_bytes(content)
    fails(root, r"bad\.png': cannot be decoded")


def test_what_is_not_there_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nope\.png': no such file$"):
        images.read_image(tmp_path / "nope.png", Form(8))
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path, tmp_path / "pipe.png"):
        with pytest.raises(UserError, match=r"cannot be read \(not a plain file\)"):
            images.read_image(path, Form(8))


def test_a_format_that_its_name_hides_is_not_opened(root: Path) -> None:
    Image.new("RGB", (8, 8)).save(root / "train" / "ant" / "hidden.png", format="TIFF")
    fails(root, "not a PNG, JPEG, BMP or WebP image")


@pytest.mark.parametrize("limit", [300, 100])  # Pillow warns above its limit and refuses above twice that
def test_a_decompression_bomb_is_refused(limit: int, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(root / "train" / "ant" / "bomb.png", size=(20, 20))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    fails(root, r"bomb\.png': larger than 0 megapixels")


def test_sixteen_bits_are_refused_and_not_clipped(root: Path) -> None:
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(root / "train" / "ant" / "deep.png")
    fails(root, r"deep\.png': has more than 8 bits a channel")


@pytest.mark.parametrize("kind", ["pipe", "broken link", "loop", "folder"])
def test_what_is_no_file_is_named_and_never_waited_for(kind: str, root: Path) -> None:
    path = root / "train" / "ant" / "odd.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("gone" if kind == "broken link" else path)
    fails(root, r"odd\.png': not a file that can be read")


def test_hostile_names_stay_on_one_clean_line(root: Path) -> None:
    (root / "train" / "\x1b]0;owned\x07\nclass").mkdir()
    fails(root, "the class has no images")


def test_a_class_that_is_not_utf8_is_refused(root: Path) -> None:
    (root / "train" / os.fsdecode(b"\xff")).mkdir()
    fails(root, "not valid UTF-8; rename the folder")


def test_second_load_reads_the_cache(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(root)
    monkeypatch.setattr(images, "read_image", lambda path, form: pytest.fail("decoded again"))
    second = load(root)
    assert second.fingerprint == first.fingerprint and second.mean == first.mean
    assert isinstance(second.train.pixels, np.memmap) and not second.train.pixels.flags.writeable


def test_changed_files_and_sizes_are_decoded_anew(root: Path, tmp_path: Path) -> None:
    first = load(root)
    path = picture(root / "train" / "ant" / "0.png", (200, 0, 0))
    os.utime(path, (1, 1))
    changed = load(root)
    assert changed.fingerprint != first.fingerprint and changed.train.pixels[0, 0, 0, 0] == 200
    assert load(root, size=4).train.pixels.shape == (5, 3, 4, 4)
    assert len([entry for entry in (tmp_path / "cache" / "decoded").iterdir() if entry.is_dir()]) == 2


def array_file(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


FOREIGN = {
    "nested": b"[" * 100_000,
    "another array": array_file(np.array("text")),
    "pickle": array_file(np.array([{}], dtype=object)),
}


@pytest.mark.parametrize("file", ["train_pixels.npy", "test_labels.npy", "meta.json"])
@pytest.mark.parametrize("damage", ["flipped", "torn", "empty", "gone", "nested", "another array", "pickle", "pipe"])
def test_a_damaged_cache_is_built_anew(file: str, damage: str, root: Path, tmp_path: Path) -> None:
    first = load(root)
    path = decoded(tmp_path) / file
    content = path.read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    path.unlink()  # instead of writing into the file that ``first`` has mapped
    if damage == "pipe":
        os.mkfifo(path)
    elif damage != "gone":
        path.write_bytes({"flipped": flipped, "torn": content[:-9], "empty": b"", **FOREIGN}[damage])
    again = load(root)
    assert again.fingerprint == first.fingerprint and np.array_equal(again.train.pixels, first.train.pixels)
    assert path.read_bytes() == content


class Cancelled(Exception):
    pass


@pytest.mark.parametrize("at", [0, 3])
def test_cancelling_leaves_nothing_and_a_later_load_is_whole(at: int, root: Path, tmp_path: Path) -> None:
    def cancel(phase: str, done: int, total: int, unit: str) -> None:
        assert (phase, total, unit) == ("prepare", 7, "images")
        if done >= at:
            raise Cancelled

    with pytest.raises(Cancelled):
        load(root, cancel)
    assert [entry.name for entry in (tmp_path / "cache" / "decoded").iterdir() if entry.is_dir()] == []
    assert len(load(root).train.labels) == 5


def test_what_a_killed_process_left_is_cleared(root: Path, tmp_path: Path) -> None:
    load(root)
    whole = decoded(tmp_path)
    whole.rename(whole.with_name(f".{whole.name}.part"))
    assert len(load(root).train.labels) == 5
    assert [entry.name for entry in whole.parent.iterdir() if entry.is_dir()] == [whole.name]


def test_two_at_once_build_it_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []

    def counted(path: Path, form: Form) -> npt.NDArray[np.uint8]:
        calls.append(path)
        return read_image(path, form)

    monkeypatch.setattr(images, "read_image", counted)
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(load(root).fingerprint)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1 and len(results) == 3 and len(calls) == 7


def test_a_wait_for_another_process_can_be_cancelled(root: Path, tmp_path: Path) -> None:
    from core.data.exclusive import exclusive

    load(root)
    place = decoded(tmp_path)
    place.rename(tmp_path / "aside")

    def cancel(phase: str, done: int, total: int, unit: str) -> None:
        raise Cancelled

    with exclusive(place, lambda: None), pytest.raises(Cancelled):
        load(root, cancel)


def test_a_cache_that_cannot_be_written_is_one_line(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "file"))
    fails(root, "cannot be written: .*; free some space there, or set TUI_TRAINER_CACHE")

"""torchvision's sets, from files as their authors publish them: read by torchvision itself, which fetches nothing here."""

from __future__ import annotations

import hashlib
import inspect
import io
import pickle
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from core import data
from core.data import cifar100, fetching
from core.data.sources import torchvision
from core.data.torchvision_sets import SETS
from core.errors import UserError
from core.models import Inputs
from core.sections import Data

RANDOM = np.random.RandomState(0)
PIXELS = RANDOM.randint(0, 256, (30, 28, 28)).astype(np.uint8)
LABELS = np.arange(30) % 10


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))


def idx(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    """As MNIST's authors store arrays."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()


def write_mnist(root: Path) -> Path:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split, part in (("train", slice(20)), ("t10k", slice(20, 30))):
        (raw / f"{split}-images-idx3-ubyte").write_bytes(idx(PIXELS[part]))
        (raw / f"{split}-labels-idx1-ubyte").write_bytes(idx(LABELS[part].astype(np.uint8)))
    return root


def settings(name: str, root: Path | None = None, **values: object) -> Data:
    given = {"source": f"torchvision:{name}", "path": str(root) if root else None, **values}
    return Data(**given)  # type: ignore[arg-type]


def test_mnist_as_published(tmp_path: Path) -> None:
    chosen = settings("mnist", write_mnist(tmp_path / "root"), size=28)
    dataset = data.load(chosen)
    assert dataset.name == "torchvision:mnist" and dataset.classes[3] == "3 - three" and len(dataset.classes) == 10
    assert np.array_equal(dataset.train.pixels[:, 0], PIXELS[:20]) and np.array_equal(dataset.test.labels, LABELS[20:])
    assert data.inputs(chosen) == Inputs(10, 1, 28) and data.inputs(settings("mnist")) == Inputs(10, 1, 32)
    assert data.load(settings("mnist", tmp_path / "root")).train.pixels.shape == (20, 1, 32, 32)
    assert data.load(chosen).fingerprint == dataset.fingerprint


def test_a_set_without_splits_gives_every_tenth_for_test(tmp_path: Path) -> None:
    for number, name in enumerate(("Forest", "River", "AnnualCrop")):
        folder = tmp_path / "root" / "eurosat" / "2750" / name
        folder.mkdir(parents=True)
        for place in range(10 + number):
            Image.new("RGB", (64, 64), (place, number, 0)).save(folder / f"{name}_{place:02}.jpg")
    dataset = data.load(settings("eurosat", tmp_path / "root"))
    assert dataset.classes == ("AnnualCrop", "Forest", "River") and dataset.train.pixels.shape[1:] == (3, 64, 64)
    assert np.bincount(dataset.test.labels).tolist() == [1, 1, 1] and len(dataset.train.labels) == 33 - 3
    assert dataset.notes == ("no test split: every tenth image of each class is kept for test",)


def test_an_image_that_cannot_be_read_is_named_and_not_the_caches_fault(tmp_path: Path) -> None:
    for name in ("Forest", "River"):
        folder = tmp_path / "root" / "eurosat" / "2750" / name
        folder.mkdir(parents=True)
        for place in range(3):
            Image.new("RGB", (64, 64), (place, 0, 0)).save(folder / f"{name}_{place}.jpg")
    damaged = folder / "River_1.jpg"
    damaged.write_bytes(damaged.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"^'.*/River_1\.jpg': cannot be decoded \(.*truncated.*\); replace the file"):
        data.load(settings("eurosat", tmp_path / "root"))
    assert [path.name for path in (tmp_path / "cache" / "decoded").iterdir() if path.is_dir()] == []


def test_a_set_with_a_split_of_its_own_holds_that_out(tmp_path: Path) -> None:
    base = tmp_path / "root" / "dtd" / "dtd"
    for name in ("banded", "dotted"):
        (base / "images" / name).mkdir(parents=True)
        for place in range(6):
            Image.new("RGB", (80, 70), (place, 0, 0)).save(base / "images" / name / f"{name}_{place}.jpg")
    (base / "labels").mkdir()
    for split, places in (("train", range(3)), ("val", range(3, 5)), ("test", range(5, 6))):
        lines = [f"{name}/{name}_{place}.jpg" for name in ("banded", "dotted") for place in places]
        (base / "labels" / f"{split}1.txt").write_text("\n".join(lines) + "\n")
    dataset = data.load(settings("dtd", tmp_path / "root"))
    assert dataset.classes == ("banded", "dotted") and dataset.validation is not None
    assert [len(images.labels) for images in (dataset.train, dataset.validation, dataset.test)] == [6, 4, 2]


def cifar100_archive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of three images a split, and of checksums that fit it."""
    files, kind = {}, datasets.CIFAR100
    for number, name in enumerate(("train", "test")):
        batch = {b"data": RANDOM.randint(0, 256, (3, 3072)).astype(np.uint8), b"fine_labels": [99, number, 5]}
        files[name] = pickle.dumps(batch, protocol=3)
    files["meta"] = pickle.dumps({b"fine_label_names": [f"class {number}".encode() for number in range(100)]}, protocol=3)
    folder.mkdir()
    with tarfile.open(folder / kind.filename, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    md5 = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(kind, "tgz_md5", hashlib.md5((folder / kind.filename).read_bytes()).hexdigest())
    monkeypatch.setattr(kind, "train_list", [["train", md5["train"]]])
    monkeypatch.setattr(kind, "test_list", [["test", md5["test"]]])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": md5["meta"]})
    return folder


def test_cifar100_is_read_by_checksum_and_never_by_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cifar100_archive(tmp_path / "root", monkeypatch)
    monkeypatch.setattr(datasets.CIFAR100, "__init__", lambda *_, **__: pytest.fail("it would unpickle whatever is there"))
    dataset = data.load(settings("cifar100", folder))
    assert dataset.classes[5] == "class 5" and dataset.test.labels.tolist() == [99, 1, 5]
    batch = cifar100.splits(folder)["train"]
    assert np.array_equal(dataset.train.pixels[2], batch.pixels[2].reshape(3, 32, 32))
    (folder / datasets.CIFAR100.filename).write_bytes(b"other")
    with pytest.raises(UserError, match=r"cifar-100-python.tar.gz': does not match its published checksum"):
        data.load(settings("cifar100", folder))


@pytest.mark.parametrize("name", SETS)
def test_torchvision_has_what_the_table_says(name: str, tmp_path: Path) -> None:
    known = SETS[name]
    kind = getattr(datasets, known.class_name)
    taken = {name for base in kind.__mro__[:2] for name in inspect.signature(base.__init__).parameters}
    for split in filter(None, (known.train, known.test, known.validation)):
        assert {"root", "download", *split} <= taken
    with pytest.raises(UserError, match=f"torchvision:{name}: .*(cannot be read|pip install)|no cifar-100-python"):
        data.load(settings(name, tmp_path))


def test_names_are_known_or_near() -> None:
    assert data.from_text("torchvision:mnist", Data()) == settings("mnist")
    for text, words in (
        (
            "torchvision:fashionmnist",
            r"torchvision has no 'fashionmnist' \(did you mean 'fashion_mnist'\?\); known are cifar100, ",
        ),
        ("torchvision", "expected torchvision:NAME; known are cifar100, country211"),
        ("torchvision:", "expected torchvision:NAME; known are"),
        ("sample:x", "'sample' takes no name after a colon; use 'sample'"),
    ):
        with pytest.raises(UserError, match=words):
            data.from_text(text, Data())
        with pytest.raises(UserError, match=words):
            data.availability(Data(source=text))


def test_what_is_missing_says_how_to_get_it(tmp_path: Path) -> None:
    found = data.availability(settings("mnist"))
    assert (found.ready, found.fetchable) == (False, True) and "tui-trainer data get torchvision:mnist" in found.hint
    given = data.availability(settings("mnist", tmp_path / "nowhere"))
    assert not given.ready and not given.fetchable and "no such folder" in given.hint


def test_a_fetched_set_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = write_mnist(tmp_path / "published")
    copy = f"import shutil, sys; shutil.copytree({str(published)!r}, sys.argv[2], dirs_exist_ok=True)"
    monkeypatch.setattr(torchvision, "FETCH", (sys.executable, "-c", f"{copy}; sys.exit('no more room')"))
    with pytest.raises(UserError, match=r"torchvision:mnist: cannot be fetched \(no more room\); check the connection"):
        data.fetch("torchvision:mnist")
    assert not data.availability(settings("mnist")).ready
    monkeypatch.setattr(torchvision, "FETCH", (sys.executable, "-c", copy))
    calls: list[tuple[object, ...]] = []
    place = data.fetch("torchvision:mnist", lambda *call: calls.append(call))
    assert calls[0][0] == "download" and data.availability(settings("mnist")).where == str(place)
    monkeypatch.setattr(torchvision, "FETCH", ("never",))
    assert data.fetch("torchvision:mnist") == place
    assert len(data.load(settings("mnist")).train.labels) == 20
    assert [entry.name for entry in place.parent.iterdir() if entry.is_dir()] == ["mnist"]


def test_a_fetch_that_is_given_up_ends_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, sys, time; open(f'{sys.argv[2]}/pid', 'w').write(str(os.getpid())); time.sleep(600)"
    monkeypatch.setattr(torchvision, "FETCH", (sys.executable, "-c", code))
    monkeypatch.setattr(fetching, "LOOKING", 0.02)
    part, seen = tmp_path / "cache" / "data" / "torchvision" / ".mnist.part", list[str]()

    def cancel(phase: str, done: int, total: int, unit: str) -> None:
        if done:
            seen.append((part / "pid").read_text())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.fetch("torchvision:mnist", cancel)
    assert not part.exists() and subprocess.run(["ps", "-p", seen[0]], capture_output=True).returncode == 1


@pytest.mark.torture  # its process loads torchvision
def test_without_a_network_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nothing listens
    with pytest.raises(UserError, match=r"torchvision:eurosat: cannot be fetched \(.*refused.*\); check the connection"):
        data.fetch("torchvision:eurosat")

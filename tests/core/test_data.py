"""Sources are found by listing, ``--data`` is understood, and the sample is what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core import data
from core.data import cifar
from core.data.sources import sample
from core.errors import UserError
from core.sections import Data


def test_importing_and_listing_load_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; from core import data; from core.sections import Data; data.names();"
        "[data.availability(Data(source=name)) for name in ('sample', 'folder')];"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_file_is_a_source() -> None:
    assert data.names() == ["arrays", "cifar10", "folder", "hf", "sample", "torchvision"]


def test_unknown_source_names_the_known_and_the_nearest() -> None:
    with pytest.raises(
        UserError, match=r"'cifar' is not known \(did you mean 'cifar10'\?\); known are arrays, cifar10, folder, hf, sample"
    ):
        data.load(Data(source="cifar"))
    with pytest.raises(UserError, match=r"'\.\./x' is not known"):
        data.availability(Data(source="../x"))


def test_data_by_name_keeps_other_settings() -> None:
    settings = Data(source="folder", path="/pictures", size=64)
    assert data.from_text("sample", settings) == Data(source="sample", size=64)
    assert data.from_text("folder", settings) == settings


def test_data_by_path_is_recognised_and_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine" / "train").mkdir(parents=True)
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "test_batch").touch()
    (tmp_path / "other.tar.gz").touch()
    monkeypatch.chdir(tmp_path)
    assert data.from_text("mine", Data()) == Data(source="folder", path=str(tmp_path / "mine"))
    for text in (".", "cifar-10-batches-py", "other.tar.gz"):
        assert data.from_text(text, Data(source="sample")) == Data(source="cifar10", path=str((tmp_path / text).absolute()))


@pytest.mark.parametrize("text", ["", "nowhere", "~nobody-of-this-name/x", "a\0b", "\x1b[31mred", "x" * 300])
def test_data_that_is_nothing_is_one_clean_line(text: str) -> None:
    with pytest.raises(UserError, match=r"expected one of arrays, .*sample, .*or an \.npz or") as error:
        data.from_text(text, Data())
    assert str(error.value).isprintable()


def test_data_with_unknown_content(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="its content is none of the known forms"):
        data.from_text(str(tmp_path), Data())


def test_sample_has_its_classes_evenly() -> None:
    assert data.availability(Data(source="sample")).ready
    dataset = data.load(Data(source="sample"))
    assert dataset.classes == cifar.CLASSES
    assert dataset.train.pixels.shape == (2500, 3, 32, 32) and dataset.test.pixels.shape == (1000, 3, 32, 32)
    assert np.bincount(dataset.train.labels).tolist() == [250] * 10
    assert np.bincount(dataset.test.labels).tolist() == [100] * 10
    assert dataset.fingerprint == data.load(Data(source="sample")).fingerprint


def test_sample_takes_no_path(tmp_path: Path) -> None:
    settings = Data(source="sample", path=str(tmp_path))
    for use in (data.availability, data.load):
        with pytest.raises(UserError, match=r"the data source 'sample' takes no path; .* choose source 'folder'"):
            use(settings)


def test_sample_is_small() -> None:
    folder = Path(sample.__file__).parents[1] / "sample"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 7_000_000


def test_sample_with_other_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sample._SHA256, "test.webp", "0" * 64)
    with pytest.raises(UserError, match=r"test\.webp is damaged; install tui-trainer anew"):
        data.load(Data(source="sample"))


@pytest.mark.skipif("TUI_TRAINER_DATA" not in os.environ, reason="TUI_TRAINER_DATA names no folder with CIFAR-10")
def test_sample_is_the_first_of_each_class_of_the_real_data() -> None:
    location = cifar.find(Path(os.environ["TUI_TRAINER_DATA"]))
    assert location is not None
    batches = cifar.read(location, lambda count: None)
    dataset = data.load(Data(source="sample"))
    for images, parts, count in ((dataset.train, batches[:-1], 250), (dataset.test, batches[-1:], 100)):
        pixels, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        first = np.concatenate([np.flatnonzero(labels == label)[:count] for label in range(10)])
        assert np.array_equal(images.pixels, pixels[first])

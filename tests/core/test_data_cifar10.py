"""CIFAR-10 is found in every official form and place, and nothing is believed before its checksum matched."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from core import data
from core.data import Dataset, cifar
from core.errors import UserError
from core.sections import Data
from tests.core import cifar_forms as forms

BINARY, PYTHON = forms.binary_files(), forms.python_files()
BINARY_ARCHIVE = forms.archive("cifar-10-batches-bin", BINARY)
PYTHON_ARCHIVE = forms.archive("cifar-10-batches-py", PYTHON)


@pytest.fixture(autouse=True)
def _published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TUI_TRAINER_DATA", raising=False)
    monkeypatch.setenv("TUI_TRAINER_CIFAR10_URL", "http://127.0.0.1:9/unreachable")
    forms.publish(monkeypatch, BINARY, PYTHON, (BINARY_ARCHIVE, PYTHON_ARCHIVE))


def write(form: str, folder: Path) -> Path:
    """One of the official forms below ``folder``; returns its own path."""
    folder.mkdir(parents=True, exist_ok=True)
    if form == "binary":
        return forms.write_folder(folder / "cifar-10-batches-bin", BINARY)
    if form == "python":
        return forms.write_folder(folder / "cifar-10-batches-py", PYTHON)
    path = folder / ("cifar-10-binary.tar.gz" if form == "binary archive" else "cifar-10-python.tar.gz")
    path.write_bytes(BINARY_ARCHIVE if form == "binary archive" else PYTHON_ARCHIVE)
    return path


def check(dataset: Dataset) -> None:
    train = [forms.batch(number) for number in range(5)]
    assert dataset.classes == cifar.CLASSES and len(dataset.fingerprint) == 64
    assert np.array_equal(dataset.train.pixels, np.concatenate([part.pixels for part in train]))
    assert np.array_equal(dataset.train.labels, np.concatenate([part.labels for part in train]))
    assert np.array_equal(dataset.test.pixels, forms.batch(5).pixels)
    assert dataset.train.pixels.dtype == np.uint8 and dataset.train.labels.dtype == np.int64
    assert isinstance(dataset.train.pixels, np.memmap)


FORMS = ["binary", "python", "binary archive", "python archive"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("given", ["itself", "parent"])
def test_every_form_is_read(form: str, given: str, tmp_path: Path) -> None:
    path = write(form, tmp_path / "data")
    settings = Data(source="cifar10", path=str(path if given == "itself" else path.parent))
    assert data.availability(settings).where == str(path)
    check(data.load(settings))


def test_all_forms_have_one_fingerprint(tmp_path: Path) -> None:
    paths = [write(form, tmp_path / str(number)) for number, form in enumerate(FORMS)]
    assert len({data.load(Data(path=str(path))).fingerprint for path in paths}) == 1


def test_places_are_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not data.availability(Data()).ready
    assert "tui-trainer data get cifar10" in data.availability(Data()).hint
    cached = write("binary archive", tmp_path / "cache" / "data")
    assert data.availability(Data()).where == str(cached)
    named = write("binary", tmp_path / "named")
    monkeypatch.setenv("TUI_TRAINER_DATA", str(tmp_path / "named"))
    assert data.availability(Data()).where == str(named)
    given = write("python", tmp_path / "given")
    assert data.availability(Data(path=str(given))).where == str(given)


def test_a_given_path_without_data_is_an_error_even_when_the_cache_has_it(tmp_path: Path) -> None:
    write("binary archive", tmp_path / "cache" / "data")
    settings = Data(path=str(tmp_path / "nowhere"))
    assert not data.availability(settings).ready
    with pytest.raises(UserError, match=r"nowhere.*no CIFAR-10 there; expected CIFAR-10 in an official form"):
        data.load(settings)


@pytest.mark.parametrize("form", ["binary", "python"])
def test_a_changed_byte_is_found_also_after_the_first_load(form: str, tmp_path: Path) -> None:
    path = write(form, tmp_path / "data")
    data.load(Data(path=str(path)))
    batch = next(entry for entry in path.iterdir() if entry.name.startswith("data_batch_3"))
    content = bytearray(batch.read_bytes())
    content[100] ^= 1
    batch.write_bytes(content)
    os.utime(batch, (1, 1))
    with pytest.raises(
        UserError,
        match=r"data_batch_3\S* does not match its published checksum; remove or replace it, or unset TUI_TRAINER_DATA",
    ):
        data.load(Data(path=str(path)))


def test_a_missing_batch_is_named(tmp_path: Path) -> None:
    path = write("binary", tmp_path)
    (path / "data_batch_2.bin").unlink()
    with pytest.raises(UserError, match=r"data_batch_2.bin missing; remove or replace it, or unset TUI_TRAINER_DATA"):
        data.load(Data(path=str(path)))


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    path = write("binary archive", tmp_path)
    path.write_bytes(BINARY_ARCHIVE[:-100])
    with pytest.raises(UserError, match="damaged or not a CIFAR-10 archive"):
        data.load(Data(path=str(path)))


def test_a_broken_archive_of_the_right_checksum_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = BINARY_ARCHIVE[: len(BINARY_ARCHIVE) // 2]
    forms.publish(monkeypatch, BINARY, PYTHON, (broken, PYTHON_ARCHIVE))
    path = tmp_path / "x.tar.gz"
    path.write_bytes(broken)
    with pytest.raises(UserError, match="damaged"):
        data.load(Data(path=str(path)))


def test_members_of_an_archive_are_bounded_in_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar, "_LARGEST", 1000)
    with pytest.raises(UserError, match=r"data_batch_1.bin.* missing"):
        data.load(Data(path=str(write("binary archive", tmp_path))))


class Hostile:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("checksum", ["wrong", "right"])
def test_a_hostile_pickle_never_runs(checksum: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = pickle.dumps({b"data": Hostile(tmp_path / "ran"), b"labels": []}, protocol=2)
    files = {**PYTHON, "data_batch_1": hostile}
    path = forms.write_folder(tmp_path / "cifar-10-batches-py", files)
    if checksum == "right":
        forms.publish(monkeypatch, BINARY, files, (BINARY_ARCHIVE, PYTHON_ARCHIVE))
    reason = "expected arrays alone" if checksum == "right" else "does not match its published checksum"
    with pytest.raises(UserError, match=reason):
        data.load(Data(path=str(path)))
    assert not (tmp_path / "ran").exists()
    pickle.loads(hostile)
    assert (tmp_path / "ran").exists()  # the attack is a real one


@pytest.mark.parametrize("name", ["load", "loads", "fromfile", "save"])
def test_no_other_name_of_numpy_is_admitted(name: str) -> None:
    with pytest.raises(UserError, match="expected arrays alone"):
        cifar.decode_python(b"\x80\x02cnumpy\n" + name.encode() + b"\n.")


def test_the_published_checksums_are_whole() -> None:
    for form in (cifar.BINARY, cifar.PYTHON):
        length = hashlib.new(form.algorithm).digest_size * 2
        assert len(form.checksums) == 6 and all(len(value) == length for value in form.checksums.values())
    assert list(cifar.PYTHON.checksums)[-1] == "test_batch" and list(cifar.BINARY.checksums)[-1] == "test_batch.bin"

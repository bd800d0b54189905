"""Nobody but the owner: modes of all that a run and the caches make, whatever the umask."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from PIL import Image

from core import checkpoint, commands, data
from core.checkpoint import Best, Manifest
from core.data import download
from core.errors import UserError
from core.files import create, make_folder
from core.recipe import to_table
from core.run import describe, inbox
from core.run.disk import Reserve
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter
from core.run.verify import verify
from core.sections import Data
from core.training import compiling
from tests.core.test_data_download import Server
from tests.core.training import tiny

NOBODY = 65534


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Not there yet, nor what it lies in."""
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "above" / "cache"))
    return tmp_path / "above"


def entries(folder: Path) -> dict[str, str]:
    """Every file and folder from ``folder`` on, with its mode."""
    return {str(path): oct(stat.S_IMODE(path.lstat().st_mode)) for path in (folder, *folder.rglob("*"))}


def open_to_others(folder: Path) -> dict[str, str]:
    """What is not 0700 (folders) or 0600 (files)."""
    return {path: mode for path, mode in entries(folder).items() if mode != ("0o700" if Path(path).is_dir() else "0o600")}


def test_all_that_a_run_folder_is_made_of(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "above" / "runs" / "run")
    run.create(RunFile(id="a", name="run", recipe=to_table(tiny())))
    with run.hold(), JournalWriter(run.journal):
        Reserve(run.reserve).make()
        inbox.send(run, commands.Pause())
        published = checkpoint.publish(run.checkpoints, Manifest(step=1, epoch=1, run="a", files={}), {"state.json": b"{}"})
        checkpoint.point(run.checkpoints, "best", Best(published.name))
        assert open_to_others(tmp_path / "above") == {}
        assert len(entries(run.path)) == 13
    assert not any("chmod" in finding.text for finding in verify(run))


def test_the_cache_of_decoded_images(tmp_path: Path, cache: Path) -> None:
    for place in ("train/a", "train/b", "test/a", "test/b"):
        (tmp_path / "images" / place).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "images" / place / "0.png")
    data.load(Data(source="folder", path=str(tmp_path / "images"), size=8))
    assert open_to_others(cache) == {}
    assert {Path(path).suffix for path in entries(cache)} == {"", ".lock", ".npy", ".json"}


def test_the_cache_of_downloads(cache: Path) -> None:
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        make_folder(cache)
        server.cut = 100
        for md5 in ("", "0" * 32):
            with pytest.raises(UserError):
                download.download(server.url, cache / "archive", md5, "", data.silent)
            assert open_to_others(cache) == {}
            server.cut = None
        assert "archive.part" not in {path.name for path in cache.iterdir()}
    finally:
        server.shutdown()
        server.server_close()


def test_the_cache_of_descriptions(cache: Path) -> None:
    describe._keep(cache / "cache" / "described" / "key.json", describe._Answer(error="so"))
    assert open_to_others(cache) == {} and len(entries(cache)) == 4


def test_the_cache_of_compiled_kernels(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    compiling._keep_to_ourselves()
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(cache / "cache" / "compiled")
    assert open_to_others(cache) == {} and len(entries(cache)) == 3


def test_a_new_file_takes_no_place_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        create(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a while")
def test_another_user_can_neither_look_nor_send() -> None:
    with TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        run = RunFolder(Path(place) / "run")
        run.create(RunFile(id="a", name="run", recipe=to_table(tiny())))
        with run.hold(), JournalWriter(run.journal):
            for path in (run.run_file, run.journal, run.lock):
                path.chmod(0o666)  # the folder alone keeps them out
                assert as_nobody(f"cat {path}") != 0 and as_nobody(f"echo x >> {path}") != 0
            assert as_nobody(f"echo x > {run.inbox}/0-a.json") != 0
        assert as_nobody(f"echo x > {place}/theirs && cat {place}/theirs") == 0
        assert inbox.waiting(run.inbox) == []


def as_nobody(script: str) -> int:
    return subprocess.run(["/bin/sh", "-c", script], user=NOBODY, group=NOBODY, capture_output=True, check=False).returncode

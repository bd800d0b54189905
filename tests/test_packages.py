"""What ``.ci/packages`` holds a wheel and an sdist to; it builds real ones, which takes a network."""

from __future__ import annotations

import io
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.tools.check_packages import OUTSIDE, ROOT, kept_by_git, main, wrong

KEPT = ("core/a.py", "core/recipes/a.toml", "tests/test_a.py", "README.md", ".gitignore")


def sdist(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name in names:
            file.addfile(tarfile.TarInfo(f"tui_trainer-1/{name}"), io.BytesIO())
    return path


def wheel(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, "")
    return path


def test_what_is_missing_and_what_is_too_much(tmp_path: Path) -> None:
    whole = sdist(tmp_path / "a.tar.gz", *KEPT, "PKG-INFO")
    assert wrong(whole, KEPT) == []
    assert wrong(sdist(tmp_path / "b.tar.gz", *KEPT[1:], "runs/mine"), KEPT) == [
        "b.tar.gz lacks core/a.py", "b.tar.gz has runs/mine, which git does not keep",
    ]  # fmt: skip
    assert wrong(wheel(tmp_path / "a.whl", *KEPT[:2], "a-1.dist-info/RECORD"), KEPT) == []
    partly = wheel(tmp_path / "b.whl", "core/a.py", "tests/test_a.py")
    assert wrong(partly, KEPT) == ["b.whl lacks core/recipes/a.toml", "b.whl has tests/test_a.py, which git does not keep"]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an sdist, in which git keeps nothing")
def test_the_sdist_names_all_that_git_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    included = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {name.partition("/")[0] for name in kept_by_git()} - OUTSIDE - {"pyproject.toml"} == set(included)
    assert main([str(sdist(tmp_path / "c.tar.gz", "README.md"))]) == 1
    assert "c.tar.gz lacks pyproject.toml\n" in capsys.readouterr().out

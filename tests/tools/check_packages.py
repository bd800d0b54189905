"""Whether a wheel and an sdist hold all that they are to hold, and nothing else.

    python -m tests.tools.check_packages dist/*.whl dist/*.tar.gz

What there is to hold is what git keeps: all of it in an sdist, of the two packages all in a wheel.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("core/", "tui_trainer/")
OUTSIDE = {".gitignore"}
"""Hatchling has it in an sdist or not as it likes."""
MADE = {"PKG-INFO"}


def wrong(package: Path, kept: Iterable[str]) -> list[str]:
    """What is missing in a package, and what is too much, in words."""
    if package.suffix == ".whl":
        held = {name for name in _names_of_wheel(package) if ".dist-info/" not in name}
        wanted = {name for name in kept if name.startswith(PACKAGES)}
    else:
        held = _names_of_sdist(package) - OUTSIDE - MADE
        wanted = set(kept) - OUTSIDE
    lacks = [f"{package.name} lacks {name}" for name in sorted(wanted - held)]
    return lacks + [f"{package.name} has {name}, which git does not keep" for name in sorted(held - wanted)]


def _names_of_wheel(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as wheel:
        return [name for name in wheel.namelist() if not name.endswith("/")]


def _names_of_sdist(path: Path) -> set[str]:
    """Without the folder that all of it lies in."""
    with tarfile.open(path) as sdist:
        return {member.name.partition("/")[2] for member in sdist if not member.isdir()}


def kept_by_git() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name]


def main(packages: Iterable[str]) -> int:
    kept = kept_by_git()
    found = [words for package in packages for words in wrong(Path(package), kept)]
    sys.stdout.writelines(f"{words}\n" for words in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

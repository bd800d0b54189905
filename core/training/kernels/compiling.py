"""The kernels' sources to a library: by the system's C compiler, kept in the user's cache folder.

What is loaded is run: it has to lie where this user alone can write, and to be to the byte what was compiled, since a power cut
or a full disk may have left less.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from core.cache import cache_folder
from core.files import make_folder, read_plain, write_whole
from core.training.winograd_tiles import TILES, one_dimension

SOURCES = ("kernels.c", "norms.h", "numbers.h", "tiles.h")
COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fno-signed-zeros", "-fno-math-errno", "-fPIC", "-shared", "-w")
SECONDS = 120
"""After which a compiler is given up."""
COMPLAINT = 200
"""Characters of a compiler's complaint that are worth passing on."""
LARGEST = 64 << 20
"""Bytes of a library, which has some 100,000."""
PROCESSOR = ("vendor_id", "cpu family", "model", "stepping", "flags", "CPU ", "Features")
"""How lines begin that say what ``-march=native`` depends on; the last two on Arm."""


class Refused(Exception):
    """Why there is no library, in words."""


def library(flags: tuple[str, ...]) -> tuple[Path, str]:
    """The file, compiled unless it is there, and the SHA-256 of its bytes. Raises Refused, and OSError."""
    try:
        compiler = shlex.split(os.environ.get("CC", "")) or [found for name in COMPILERS if (found := shutil.which(name))][:1]
    except ValueError as error:
        raise Refused(f"CC={os.environ['CC']!r}: {error}") from None
    if not compiler:
        raise Refused("there is no C compiler (cc)")
    sources = {name: (Path(__file__).parent / name).read_text() for name in SOURCES} | {"matrices.h": matrices()}
    command = [*compiler, *FLAGS, *flags, '-DMATRICES="matrices.h"']
    key = hashlib.sha256(repr((command, sources, _processor())).encode()).hexdigest()[:32]
    folder = cache_folder() / "kernels"
    make_folder(folder)
    folder = folder.resolve()
    _check_ours(folder)
    return _kept(folder, key) or _made(folder, key, command, sources)


def _kept(folder: Path, key: str) -> tuple[Path, str] | None:
    """What was compiled before. What is not what it was is cleared away."""
    for path in sorted(folder.glob(f"{key}-*.so")):
        with suppress(OSError):
            digest = hashlib.sha256(read_plain(path, LARGEST)).hexdigest()
            if path.name == _name(key, digest) and _ours(path.lstat()):
                return path, digest
            path.unlink()
    return None


def _made(folder: Path, key: str, command: list[str], sources: dict[str, str]) -> tuple[Path, str]:
    with tempfile.TemporaryDirectory(dir=folder) as work:
        for name, text in sources.items():
            (Path(work) / name).write_text(text)
        _run([*command, "-o", "made.so", "kernels.c"], Path(work))
        data = read_plain(Path(work) / "made.so", LARGEST)
    digest = hashlib.sha256(data).hexdigest()
    path = folder / _name(key, digest)
    write_whole(path, data)
    return path, digest


def _name(key: str, digest: str) -> str:
    return f"{key}-{digest[:32]}.so"


def _run(command: list[str], folder: Path) -> None:
    """In a group of its own, so that what it has begun ends with it when it is given up."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=folder, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, start_new_session=True
    )  # fmt: skip
    try:
        _, complaint = process.communicate(timeout=SECONDS)
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Refused(f"the C compiler took longer than {SECONDS} s") from None
        raise
    if process.returncode:
        lines = complaint.decode(errors="replace").splitlines()
        said = next((line for line in lines if "error" in line), "without a word")
        raise Refused(f"the C compiler failed ({said[:COMPLAINT]})")


def _ours(about: os.stat_result) -> bool:
    return about.st_uid == os.geteuid() and not about.st_mode & 0o022


def _check_ours(folder: Path) -> None:
    """Raises Refused for a folder that others can write to, or can put another in the place of."""
    above = (parent.stat().st_mode for parent in folder.parents)
    if not _ours(folder.stat()) or any(mode & stat.S_IWOTH and not mode & stat.S_ISVTX for mode in above):
        raise Refused(f"others can write to {folder} or above it; set TUI_TRAINER_CACHE to a folder of your own")


def _processor() -> str:
    """What ``-march=native`` depends on."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
        return "\n".join(line for line in lines if line.startswith(PROCESSOR))
    return ""


def matrices() -> str:
    """The transforms of one dimension, in C."""
    lines = []
    for m in TILES:
        data, _, output = one_dimension(m)
        for name, matrix in ((f"DATA{m}", data), (f"OUTPUT{m}", output)):
            rows = ", ".join("{" + ", ".join(repr(float(value)) for value in row) + "}" for row in matrix)
            lines.append(f"static const float {name}[{len(matrix)}][{len(matrix[0])}] = {{{rows}}};")
    return "\n".join(lines) + "\n"

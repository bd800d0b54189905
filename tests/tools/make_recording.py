"""Make tui_trainer/recordings/demo.tar.xz, which ``tui-trainer demo`` plays, from the folder of a real run.

    python -m tests.tools.make_recording runs/demo tui_trainer/recordings/demo.tar.xz

Takes run.json, the journal and the pictures of some epochs, and leaves out what is not theirs to tell: paths, the process's
number, the weights (which are not packed). Prints what each part takes.
"""

from __future__ import annotations

import io
import re
import sys
import tarfile
from pathlib import Path

import msgspec

from core.events import PicturesLogged
from core.run.folder import RunFolder
from core.run.journal import JournalReader, find
from tui_trainer.recording import NAME

CLEARED = ((rb'"process":\d+', b'"process":0'), (rb'"weights":"[^"]*"', b'"weights":""'))
"""What a journal says of the machine, and what would lead to a file that is not there."""
PICTURED = (1, 5, 15, 25, 30)
"""Epochs whose pictures are packed; all of them would be most of the package."""
FOREIGN = re.compile(rb"/(?:home|work|root|tmp|Users|usr|opt|mnt|var)/|@[a-z]+\.[a-z]")
"""What must not be in it: paths and addresses."""


def parts(run: RunFolder) -> dict[str, bytes]:
    described = msgspec.structs.replace(run.read(), name=NAME, git="")
    found = {"run.json": msgspec.json.format(msgspec.json.encode(described), indent=1), "events.jsonl": told(run)}
    return found | {f"media/{name}": (run.media / name).read_bytes() for name in pictures(run)}


def told(run: RunFolder) -> bytes:
    """The journal's lines, but for pictures that are not packed."""
    lines = JournalReader(run.journal).read_lines(run.journal.stat().st_size)
    kept = (line for line, event in lines if not isinstance(event, PicturesLogged) or event.epoch in PICTURED)
    journal = b"\n".join(kept) + b"\n"
    for pattern, clear in CLEARED:
        journal = re.sub(pattern, clear, journal)
    return journal


def pictures(run: RunFolder) -> list[str]:
    return sorted({event.media for event in find(run.journal, PicturesLogged) if event.epoch in PICTURED})


def member(name: str, data: bytes) -> tarfile.TarInfo:
    """Of nobody and of no time, so that the same run gives the same archive."""
    info = tarfile.TarInfo(f"{NAME}/{name}")
    info.size, info.mode = len(data), 0o600
    return info


def main(source: Path, target: Path) -> None:
    with tarfile.open(target, "w:xz", preset=9) as archive:
        for name, data in parts(RunFolder(source)).items():
            if not name.startswith("media/") and (foreign := FOREIGN.search(data)):
                sys.exit(f"{name}: {data[max(foreign.start() - 40, 0) : foreign.end() + 40]!r} is not to be told")
            archive.addfile(member(name, data), io.BytesIO(data))
            print(f"{len(data):>9} {name}")  # noqa: T201
    print(f"{target.stat().st_size:>9} {target}")  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))

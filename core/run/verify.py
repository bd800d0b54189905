"""``verify``: everything in a run folder looked at, nothing changed."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core import checkpoint
from core.checkpoint import Damaged
from core.errors import UNREADABLE, UserError
from core.events import CheckpointSaved, Unknown
from core.files import open_plain
from core.format import decode
from core.run import inbox, media, tensors
from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.run.resume import stranger
from core.training.progress import Progress

OWN = "step-*-own*"
"""Checkpoints that a run's own program has written (:mod:`core.run.own.saving`)."""
OTHERS = 0o077
"""Permissions of everybody but the owner."""


class Finding(msgspec.Struct, frozen=True):
    """What is said of one thing."""

    item: str
    good: bool
    text: str


class _State(msgspec.Struct):
    """Of a checkpoint's ``state.json``, what can be understood without torch."""

    progress: Progress


def verify(run: RunFolder) -> list[Finding]:
    """The description, the journal, every checkpoint held against its manifest, the pointers, and what lies about."""
    return [
        _description(run),
        _journal(run),
        *(_checkpoint(folder, run.identity()) for folder in checkpoint.listing(run.checkpoints)),
        *_own(run.checkpoints),
        *_pointers(run.checkpoints),
        *_media(run.media),
        *_others(run),
        *_leftovers(run),
    ]


def check(folder: Path, run: str) -> None:
    """Raises :class:`Damaged` unless a checkpoint is whole, makes sense, and is of the run of that id."""
    manifest, files = checkpoint.read(folder)
    checkpoint.check_run(manifest, run)
    for name, data in files.items():
        if name.endswith(".safetensors"):
            tensors.check(name, data)
    progress(files)


def progress(files: dict[str, bytes]) -> Progress:
    """How far a checkpoint has come, from its files; raises :class:`Damaged`."""
    try:
        return decode(files["state.json"], _State).progress
    except (KeyError, *UNREADABLE) as error:
        raise Damaged(f"state.json: {error}") from None


def odd(run: RunFolder) -> list[Path]:
    """What should be a plain file and is a link, a folder, or a pipe."""
    return [path for path in (run.lock, run.journal, run.log, run.reserve) if not _may_be_file(path)]


def damaged_media(folder: Path) -> dict[Path, str]:
    """What is not what its name says, with what is wrong."""
    found = {}
    for path in media.listing(folder):
        try:
            media.read(folder, path.name)
        except Damaged as error:
            found[path] = str(error)
    return found


def missing_folders(run: RunFolder) -> list[Path]:
    return [path for path in (run.inbox, run.checkpoints) if not path.is_dir()]


def _description(run: RunFolder) -> Finding:
    try:
        described = run.read()
    except UserError as error:
        return Finding("run.json", False, str(error).removeprefix(f"{run.run_file}: "))
    of = f"program {described.program}" if described.program else f"recipe {described.recipe.get('name', '')}"
    return Finding("run.json", True, f"format {described.format}, {of}")


def _journal(run: RunFolder) -> Finding:
    name, begun = run.journal.name, bool(checkpoint.listing(run.checkpoints))
    try:
        open_plain(run.journal).close()
        if other := stranger(run):
            return Finding(name, False, f"it is of {other}")
    except FileNotFoundError:
        return Finding(name, not begun, "missing" if begun else "nothing was said yet")
    except OSError as error:
        return Finding(name, False, str(error.strerror))
    except UserError:
        pass  # whose run it is, run.json does not tell
    return _lines(run.journal, begun, bool(_program(run)))


def _program(run: RunFolder) -> str:
    try:
        return run.read().program
    except UserError:
        return ""


def _own(folder: Path) -> Iterator[Finding]:
    """What a run's own program has saved is in that program's own form."""
    for path in sorted(folder.glob(OWN)):
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())
        yield Finding(path.name, True, f"its own program's, {size:,} bytes, not looked into")


def _lines(journal: Path, begun: bool, own: bool) -> Finding:
    """A line torn by a kill is nothing bad: the next writer takes its place. A gap in the numbers means that lines are lost.
    ``own``: its checkpoints are its own program's, and may lie elsewhere."""
    reader = JournalReader(journal)
    count = unknown = missing = following = saved = 0
    while not reader.at_end:
        for event in reader.read():
            count, unknown = count + 1, unknown + isinstance(event, Unknown)
            saved += isinstance(event, CheckpointSaved)
            missing += max(0, event.seq - following)
            following = event.seq + 1
    notes = [f"{count:,} events"]
    notes += [f"{missing:,} are missing"] if missing else []
    notes += [f"{reader.broken} torn or damaged lines are skipped"] if reader.broken else []
    notes += [f"{unknown:,} are of a newer version"] if unknown else []
    gone = saved and not begun and not own
    notes += ["the checkpoints that it names are gone"] if gone else []
    lost = missing or (begun and not count) or gone
    return Finding(journal.name, not lost, ", ".join(notes))


def _checkpoint(folder: Path, run: str) -> Finding:
    try:
        check(folder, run)
    except Damaged as error:
        return Finding(folder.name, False, str(error))
    files = checkpoint.read_manifest(folder).files
    return Finding(folder.name, True, f"whole, {len(files)} files, {sum(entry.bytes for entry in files.values()):,} bytes")


def _pointers(folder: Path) -> Iterator[Finding]:
    for pointer in ("last", "best"):
        path = folder / f"{pointer}.json"
        if path.exists() or path.is_symlink():
            target = checkpoint.pointed(folder, pointer)
            text = f"points to {target.checkpoint}" if target else "damaged, or points to what is not there"
            yield Finding(path.name, target is not None, text)


def _media(folder: Path) -> Iterator[Finding]:
    found, bad = media.listing(folder), damaged_media(folder)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        yield Finding(folder.name, False, "not a folder")
    elif len(found) > len(bad):
        good = [path for path in found if path not in bad]
        yield Finding(folder.name, True, f"{len(good):,} files, {sum(path.stat().st_size for path in good):,} bytes")
    yield from (Finding(f"{folder.name}/{path.name[:12]}", False, wrong) for path, wrong in bad.items())


def _others(run: RunFolder) -> Iterator[Finding]:
    yield from (Finding(path.name, False, "not a plain file") for path in odd(run) if path != run.journal)
    yield from (Finding(path.name, False, "missing, or not a folder") for path in missing_folders(run))
    if run.path.stat().st_mode & OTHERS:
        yield Finding(run.name, True, f"other users may enter it; to keep them out: chmod go= {shlex.quote(str(run.path))}")


def _leftovers(run: RunFolder) -> Iterator[Finding]:
    for path in sorted((*run.path.glob("bad-*"), *run.checkpoints.glob("bad-*"), *run.media.glob("bad-*"))):
        yield Finding(path.name, True, "damaged, set aside")
    if run.alive():
        return
    for path in (*checkpoint.leftovers(run.checkpoints), *media.leftovers(run.media)):
        yield Finding(path.name, True, "left half-done by a killed writer; the next resume, or repair, removes it")
    if waiting := inbox.waiting(run.inbox):
        yield Finding("inbox", True, f"{len(waiting)} commands wait; the next resume answers them")


def _may_be_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return True

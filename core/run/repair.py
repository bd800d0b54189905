"""``repair``: bad files set aside, pointers mended, leftovers removed. Nothing that was ever whole is deleted."""

from __future__ import annotations

from pathlib import Path

from core import checkpoint
from core.checkpoint import Best, Damaged, Unreadable
from core.errors import UserError
from core.recipe import from_table
from core.run import media, resume, verify
from core.run.folder import OfLaterVersion, RunFolder
from core.run.program import recipe_of

POINTERS = ("last", "best")


def repair(run: RunFolder) -> list[str]:
    """What was done, in words. Raises UserError while the run is being trained, for a run of a later version, whose files would
    look damaged, and when the folder cannot be written."""
    if run.alive():
        raise UserError(f"run '{run.name}' is being trained; stop it first")
    _refuse_later_version(run)
    try:
        done = [_aside(path, "not a plain file") for path in verify.odd(run)]  # the lock among them, which is needed now
        with run.hold():
            return [
                *done,
                *_set_aside_journal(run),
                *_make_folders(run),
                *_set_aside_damaged(run),
                *_set_aside_media(run),
                *_remove_leftovers(run),
                *_mend_pointers(run),
            ]
    except OSError as error:
        raise UserError(f"{error.filename or run.path}: {error.strerror}; mend that, then repair") from None


def _refuse_later_version(run: RunFolder) -> None:
    try:
        run.read()
    except OfLaterVersion:
        raise
    except UserError:
        return  # there is much to mend without it


def _set_aside_journal(run: RunFolder) -> list[str]:
    """A journal is never cut, and a damaged line is skipped; another run's is of no use."""
    try:
        other = resume.stranger(run)
    except UserError:  # whose run it is, run.json does not tell
        return []
    return [_aside(run.journal, f"it is of {other}")] if other else []


def _make_folders(run: RunFolder) -> list[str]:
    done = []
    for path in verify.missing_folders(run):
        if path.exists() or path.is_symlink():
            done.append(_aside(path, "not a folder"))
        path.mkdir(mode=0o700)
        done.append(f"{path.name} made")
    return done


def _set_aside_damaged(run: RunFolder) -> list[str]:
    """Only where a good one is left: when all look bad, it may be run.json that is another run's."""
    found, bad, identity = checkpoint.listing(run.checkpoints), dict[Path, str](), run.identity()
    for folder in found:
        try:
            verify.check(folder, identity)
        except Unreadable:
            continue
        except Damaged as error:
            bad[folder] = str(error)
    return [_aside(folder, wrong) for folder, wrong in bad.items()] if len(bad) < len(found) else []


def _set_aside_media(run: RunFolder) -> list[str]:
    if run.media.is_symlink() or (run.media.exists() and not run.media.is_dir()):
        return [_aside(run.media, "not a folder")]
    return [_aside(path, wrong) for path, wrong in verify.damaged_media(run.media).items()]


def _remove_leftovers(run: RunFolder) -> list[str]:
    found = [*checkpoint.leftovers(run.checkpoints), *media.leftovers(run.media)]
    checkpoint.sweep(run.checkpoints)
    media.sweep(run.media)
    return [f"{path.name} removed, which a killed writer left half-done" for path in found if not path.exists()]


def _mend_pointers(run: RunFolder) -> list[str]:
    folder, done = run.checkpoints, list[str]()
    for path in (folder / f"{pointer}.json" for pointer in POINTERS):
        if (path.exists() or path.is_symlink()) and checkpoint.read_pointer(path) is None:
            done.append(_aside(path, "damaged"))
    before = {pointer: checkpoint.pointed(folder, pointer) for pointer in POINTERS}
    if found := checkpoint.listing(folder):
        if before["last"] is None or before["last"].checkpoint != found[-1].name:
            checkpoint.point(folder, "last", Best(found[-1].name))
        _mend_best(run, found[-1])
    for pointer in POINTERS:
        path, target = folder / f"{pointer}.json", checkpoint.pointed(folder, pointer)
        if target is None and path.exists():
            done.append(_aside(path, "what it names is gone"))
        elif target and target != before[pointer]:
            done.append(f"{path.name} points to {target.checkpoint}")
    return done


def _mend_best(run: RunFolder, newest: Path) -> None:
    """Which one is the best is known to the newest checkpoint's own state, and the metric to the recipe."""
    try:
        progress = verify.progress(checkpoint.read(newest, only="state.json")[1])
        recipe = from_table(recipe_of(run), str(run.run_file))
    except (Damaged, UserError):
        return
    resume.repair_best(run.checkpoints, progress, recipe)


def _aside(path: Path, why: str) -> str:
    return f"{path.name} set aside as {checkpoint.set_aside(path).name}: {why}"

"""What reads bytes from outside, each with good inputs to begin from. A target returns whether it took the input, and may
refuse it with :data:`REFUSALS`; any other error is a find."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save as save_arrays
from safetensors.torch import save
from torch import nn

from core import checkpoint, commands, models, recipe
from core.checkpoint import Damaged
from core.commands import Remark, SetEarlyStopping, SetEpochs, SetLearningRate
from core.data.images import Form, read_image
from core.data.sources import arrays
from core.errors import UserError
from core.models import Inputs
from core.predicting import Loaded
from core.queue import changing
from core.queue.entries import Entry, QueueFile
from core.queue.entries import State as StateOfEntry
from core.queue.folder import QueueFolder
from core.queue.standing import entries_of
from core.run import inbox
from core.run.folder import RunFolder
from core.run.journal import JournalReader
from core.run.verify import verify
from core.sections import Data
from core.training import snapshot
from core.training.evaluation import Normalisation
from core.training.progress import Amendment, Progress
from core.training.snapshot import World
from core.training.weights_file import About
from core.view import pictures
from core.view.fold import fold
from core.view.state import State
from tests.tui import pictured
from tui_trainer.cli import queue_lines
from tui_trainer.waiting import Waiting, among
from tui_trainer.widgets.half_blocks import drawn
from tui_trainer.widgets.kitty import encoded, sent

REFUSALS = (UserError, Damaged)
JOURNALS = Path(__file__).parents[1] / "journals"
Target = Callable[[bytes, Path], bool]


def journal(data: bytes, folder: Path) -> bool:
    """Read, folded, and said again."""
    path = folder / "events.jsonl"
    path.write_bytes(data)
    reader, state = JournalReader(path), State()
    while not reader.at_end:
        state = fold(state, reader.read())
    msgspec.json.encode(state)
    return not reader.broken


def command(data: bytes, folder: Path) -> bool:
    path = folder / "00000000000000000001-abc.json"
    path.write_bytes(data)
    read = inbox.read(path)
    if isinstance(read, str):
        raise UserError(read.partition(":")[0])
    commands.encode(read)
    return True


def recipe_file(data: bytes, folder: Path) -> bool:
    path = folder / "mine.toml"
    path.write_bytes(data)
    recipe.to_toml(recipe.load(path))
    return True


def override(data: bytes, folder: Path) -> bool:
    recipe.load("quickstart", [data.decode(errors="replace")])
    return True


def manifest(data: bytes, folder: Path) -> bool:
    place = folder / "checkpoints" / "step-00000001"
    if not place.exists():
        place.mkdir(parents=True)
        for name, content in _files().items():
            (place / name).write_bytes(content)
    (place / checkpoint.MANIFEST).write_bytes(data)
    verify(RunFolder(folder))
    checkpoint.read(place)
    return True


def pointer(data: bytes, folder: Path) -> bool:
    (folder / "step-00000001").mkdir(exist_ok=True)
    (folder / "last.json").write_bytes(data)
    return checkpoint.pointed(folder, "last") is not None


def run_file(data: bytes, folder: Path) -> bool:
    run = RunFolder(folder)
    run.run_file.write_bytes(data)
    recipe.from_table(run.read().recipe)
    return True


def queue_file(data: bytes, folder: Path) -> bool:
    """Listed, shown on Home, and cancelled."""
    queue = QueueFolder(folder)
    queue.path.mkdir(exist_ok=True)
    queue.file.write_bytes(data)
    entries = entries_of(queue)
    "\n".join(queue_lines.lines(queue, entries)).encode()
    msgspec.json.encode(queue_lines.documents(queue, entries))
    among((), Waiting(folder).look())
    changing.cancel(queue, "all")
    return bool(queue.read())


def state_file(data: bytes, folder: Path) -> bool:
    return _restored({**_files(), checkpoint.STATE: data})


def weights_file(data: bytes, folder: Path) -> bool:
    return _restored({**_files(), checkpoint.WEIGHTS: data})


def optimizer_file(data: bytes, folder: Path) -> bool:
    return _restored({**_files(), snapshot.OPTIMIZER: data})


def weights_alone(data: bytes, folder: Path) -> bool:
    path = folder / checkpoint.WEIGHTS
    path.write_bytes(data)
    Loaded(path, "cpu", 1)
    return True


def picture(data: bytes, folder: Path) -> bool:
    path = folder / "picture.png"
    path.write_bytes(data)
    assert read_image(path, Form(32)).shape == (3, 32, 32)
    return True


def array_file(data: bytes, folder: Path) -> bool:
    """Read to its last pixel."""
    path = folder / ("mine.npz" if data.startswith(b"PK") else "mine.safetensors")
    path.write_bytes(data)
    settings = Data(source="arrays", path=str(path))
    found = arrays._read(settings)
    form = found.form(settings)
    for part in found.content(settings, form).parts.values():
        assert sum(len(pixels) for pixels in part.pixels) == len(part.labels)
    return True


def media_file(data: bytes, folder: Path) -> bool:
    """Read, and drawn; whether it was what its name says has been looked at before."""
    for number, found in enumerate(pictures.unpacked(data, "mistakes")):
        assert all(strip.cell_length == 16 for few in (True, False) for strip in drawn(found, 16, 8, few)), number
        assert sent(1, encoded(found), 16, 8).isascii()
    return True


def _restored(files: dict[str, bytes]) -> bool:
    network, optimizer = _trainee()
    snapshot.restore(files, network, optimizer)
    return True


@cache
def _trainee() -> tuple[nn.Module, torch.optim.Optimizer]:
    """A network with weights in both memory layouts, one step of Adam old."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.rand(2, 3, 3, 3)).sum().backward()
    optimizer.step()
    return network, optimizer


@cache
def _files() -> dict[str, bytes]:
    network, optimizer = _trainee()
    progress = Progress(step=1, amendments=[Amendment(1, "learning_rate", 0.1)])
    return snapshot.Snapshot(network, optimizer, progress).files(World(recipe_hash="abc"), {"tui_trainer": "{}"})


@cache
def _commands() -> list[bytes]:
    told = (SetLearningRate(value=0.1), SetEpochs(value=3), SetEarlyStopping(enabled=True, patience=3), Remark(text="so"))
    return [commands.encode(msgspec.structs.replace(command, id="abc", time=1.0)) for command in told]


@cache
def _lines() -> list[bytes]:
    """Of each recorded journal the first and the last lines."""
    found = []
    for path in sorted(JOURNALS.glob("*.jsonl")):
        lines = path.read_bytes().splitlines(keepends=True)
        found += [b"".join(lines[:12]), b"".join(lines[-12:])]
    return found


@cache
def _pictures() -> list[bytes]:
    found = []
    for kind, mode in (
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("BMP", "RGB"),
        ("WEBP", "RGB"),
    ):
        buffer = io.BytesIO()
        Image.effect_noise((40, 36), 50).convert("RGB").convert(mode).save(buffer, kind)
        found.append(buffer.getvalue())
    return found


@cache
def _weights_alone() -> list[bytes]:
    model, inputs = {"name": "resnet", "blocks": [1], "channels": 4, "pool": 4}, Inputs(2, size=8)
    about = About(
        recipe=recipe.to_table(recipe.from_table({"model": model})), classes=("a", "b"), inputs=inputs,
        normalisation=Normalisation((0.5, 0.5, 0.5), (0.2, 0.2, 0.2)),
    )  # fmt: skip
    return [save(models.build(model, inputs).state_dict(), about.metadata())]


@cache
def _recipes() -> list[bytes]:
    return [recipe.source_text(name).encode() for name in recipe.names()]


@cache
def _overrides() -> list[bytes]:
    texts = ("optimizer.lr=0.1", "epochs=3", 'data.source="cifar10"', "model.blocks=[1,2]", "augment=[{name='crop',padding=4}]")
    return [text.encode() for text in texts]


@cache
def _manifests() -> list[bytes]:
    with TemporaryDirectory() as folder:
        place = checkpoint.publish(Path(folder), checkpoint.Manifest(step=1, epoch=1, files={}), _files())
        return [(place / checkpoint.MANIFEST).read_bytes()]


@cache
def _run_files() -> list[bytes]:
    about = {"format": 1, "id": "abc", "name": "demo", "created": 1.0, "threads": 2, "versions": {"torch": "2"}}
    return [json.dumps({**about, "recipe": recipe.to_table(recipe.load(name))}).encode() for name in recipe.names()]


@cache
def _queue_files() -> list[bytes]:
    states: tuple[StateOfEntry, ...] = ("waiting", "training", "done")
    entries = (
        Entry(
            id=f"{place:016x}", name=f"a-{place}", recipe=recipe.to_table(recipe.load("quickstart")), state=state, device="cpu"
        )
        for place, state in enumerate(states)
    )
    return [msgspec.json.encode(QueueFile(entries=tuple(entries)))]


@cache
def _array_files() -> list[bytes]:
    images, labels = np.random.RandomState(0).randint(0, 256, (24, 8, 8)).astype(np.uint8), np.arange(24) % 3
    packed, plain = io.BytesIO(), io.BytesIO()
    np.savez_compressed(packed, images=images, labels=labels, classes=["a", "b", "c"])
    np.savez(plain, x_train=images / 255, y_train=labels, x_test=images / 255, y_test=labels)
    return [packed.getvalue(), plain.getvalue(), save_arrays({"images": images, "labels": labels})]


TARGETS: dict[str, tuple[Target, Callable[[], list[bytes]]]] = {
    "journal": (journal, _lines),
    "command": (command, _commands),
    "recipe file": (recipe_file, _recipes),
    "override": (override, _overrides),
    "run.json": (run_file, _run_files),
    "queue.json": (queue_file, _queue_files),
    "manifest": (manifest, _manifests),
    "pointer": (pointer, lambda: [b'{"checkpoint":"step-00000001","metric":"val.loss","value":0.5}']),
    "state.json": (state_file, lambda: [_files()[checkpoint.STATE]]),
    "weights": (weights_file, lambda: [_files()[checkpoint.WEIGHTS]]),
    "optimizer": (optimizer_file, lambda: [_files()[snapshot.OPTIMIZER]]),
    "picture": (picture, _pictures),
    "array file": (array_file, _array_files),
    "media": (media_file, lambda: [pictured.mistakes(3)]),
    "model alone": (weights_alone, _weights_alone),  # last: it sets torch up, which from then on keeps the memory it was given
}

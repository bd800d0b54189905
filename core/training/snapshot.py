"""A training as bytes and back: the weights, the optimizer's state and the progress, to the very bit.

Taking a snapshot copies the tensors and nothing else, so that training waits no longer than that; turning the copy into bytes
happens beside it. safetensors stores dense C order only, so the strides of everything else (channels_last weights and their
optimizer state) are kept in ``state.json`` and restored: another memory layout means other kernels, and those other bits.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from core.checkpoint import STATE, WEIGHTS, Damaged
from core.errors import UNREADABLE
from core.events import FORMAT
from core.format import decode
from core.training.averaging import Average
from core.training.finite import all_finite
from core.training.layout import dense, strided
from core.training.optimizers import state as optimizer_state
from core.training.progress import Progress
from core.training.weights_file import check_weights, load

OPTIMIZER = "optimizer.safetensors"
LIVE = "live.safetensors"
"""The weights that train, where those of ``WEIGHTS`` are their average."""


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What the bits depend on beside the recipe; compared at a resume."""

    recipe_hash: str = ""
    data_fingerprint: str = ""
    torch: str = ""
    device: str = ""
    precision: str = ""
    threads: int = 0
    tui_trainer: str = ""
    """This package's version; empty in checkpoints from before it was noted."""
    processor: str = ""
    """Architecture and vector extensions, which decide on the kernels of the CPU."""
    kernels: str = ""
    """Those in C, by what was compiled, or ``torch``, where there are none; empty in checkpoints from before there were any."""
    processes: int = 1
    """That train together."""
    weights: str = ""
    """Fingerprint of those that it began from; empty without any, and where the file is gone."""

    def after(self, was: World) -> World:
        """What is to be noted at the next checkpoint: a file that is gone is still what it all began from."""
        return msgspec.structs.replace(self, weights=self.weights or was.weights)


class LossScale(msgspec.Struct, frozen=True):
    """A GradScaler's state; both are exact in JSON."""

    scale: float
    growth_tracker: int


class SavedState(msgspec.Struct, frozen=True, kw_only=True):
    """``state.json``."""

    format: int = FORMAT
    progress: Progress
    world: World
    loss_scale: LossScale | None = None
    """Where the precision is fp16."""
    idle: tuple[int, ...] = ()
    """Parameters, by their index, that the optimizer keeps nothing of yet."""
    strides: dict[str, tuple[int, ...]] = {}
    """Of tensors that are not in C order; keys are ``model/NAME``, ``live/NAME`` and ``optimizer/NAME``."""


class Snapshot:
    """A copy of everything at one moment, on the CPU. ``weights`` are the average where there is one, else the network's."""

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        progress: Progress,
        average: Average | None = None,
        scaler: torch.amp.GradScaler | None = None,
    ) -> None:
        self.weights = _copies((average.network if average else network).state_dict())
        self.live = _copies(network.state_dict()) if average else {}
        self.optimizer = _copies(optimizer_tensors(optimizer))
        self.idle = optimizer_state.idle(self.optimizer, optimizer)
        self.progress = progress.copy()
        self.loss_scale = _loss_scale(scaler) if scaler else None

    def finite(self) -> bool:
        """Whether no weight and nothing of the optimizer's state is NaN or infinite."""
        return all_finite([*self.weights.values(), *self.live.values(), *self.optimizer.values()])

    def files(self, world: World, metadata: Mapping[str, str]) -> dict[str, bytes]:
        """The files of a checkpoint. ``metadata`` makes the weights file enough alone to evaluate and predict."""
        strides = {
            f"{group}/{name}": tuple(tensor.stride())
            for group, tensors in (("model", self.weights), ("live", self.live), ("optimizer", self.optimizer))
            for name, tensor in tensors.items()
            if tensor.stride() != torch.empty(tensor.shape, device="meta").stride()
        }
        state = SavedState(
            progress=self.progress, world=world, loss_scale=self.loss_scale, idle=self.idle, strides=strides
        )  # fmt: skip
        live = {LIVE: safetensors.torch.save(dense(self.live))} if self.live else {}
        return {
            WEIGHTS: safetensors.torch.save(dense(self.weights), dict(metadata)),
            **live,
            OPTIMIZER: safetensors.torch.save(dense(self.optimizer)),
            STATE: msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n",
        }


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's state by ``<parameter's index>.<key>``."""
    state: dict[int, dict[str, Tensor]] = optimizer.state_dict()["state"]
    return {f"{index}.{key}": value for index, entries in state.items() for key, value in entries.items()}


def read_state(files: Mapping[str, bytes]) -> SavedState:
    """Raises :class:`Damaged`."""
    try:
        return decode(files[STATE], SavedState)
    except (KeyError, *UNREADABLE) as error:
        raise Damaged(f"{STATE}: {error}") from None


def restore(
    files: Mapping[str, bytes],
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: Average | None = None,
    scaler: torch.amp.GradScaler | None = None,
) -> SavedState:
    """Put a checkpoint's files back into what trains; raises :class:`Damaged` before anything is changed.

    A checkpoint without an average gives its weights to both.
    """
    saved = read_state(files)
    weights = strided(_tensors(files, WEIGHTS), saved.strides, "model/")
    live = strided(_tensors(files, LIVE), saved.strides, "live/") if LIVE in files else weights
    state = strided(_tensors(files, OPTIMIZER), saved.strides, "optimizer/")
    check_weights(weights, network)
    check_weights(live, network)
    _check_optimizer(state, optimizer, saved)
    _load_optimizer(state, optimizer)
    network.load_state_dict(live)
    if average:
        average.network.load_state_dict(weights)
    if scaler and (loss := saved.loss_scale):
        scaler.load_state_dict({**scaler.state_dict(), "scale": loss.scale, "_growth_tracker": loss.growth_tracker})
    return saved


def _tensors(files: Mapping[str, bytes], name: str) -> dict[str, Tensor]:
    if name not in files:
        raise Damaged(f"it has no {name}")
    return load(files[name], name)


def _load_optimizer(state: Mapping[str, Tensor], optimizer: torch.optim.Optimizer) -> None:
    entries: dict[int, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        index, _, key = name.partition(".")
        entries.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": entries, "param_groups": optimizer.state_dict()["param_groups"]})


def _check_optimizer(state: Mapping[str, Tensor], optimizer: torch.optim.Optimizer, saved: SavedState) -> None:
    """One that has not taken a step yet keeps nothing: at the beginning, and while fp16's gradients are all beyond it."""
    if state or not (saved.progress.step == 0 or saved.loss_scale):
        try:
            optimizer_state.check(state, optimizer, saved.idle)
        except Damaged as error:
            raise Damaged(f"{OPTIMIZER}: {error}") from None


def _loss_scale(scaler: torch.amp.GradScaler) -> LossScale:
    state = scaler.state_dict()
    return LossScale(state["scale"], state["_growth_tracker"])


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: _copy(tensor) for name, tensor in tensors.items()}


def _copy(tensor: Tensor) -> Tensor:
    """On the CPU, in memory of its own, in the same layout."""
    return tensor.detach().clone() if tensor.device.type == "cpu" else tensor.detach().cpu()

"""Networks that lie elsewhere: ``model.name`` is ``torchvision:NAME``, ``timm:NAME`` or ``python:package.module:function``.

The first two are names in lists of libraries, and none of their keys makes them read a file or fetch anything: a checkpoint
may name them as it may name a file of ours. The third runs code, and only where its user has named it: ``code`` is their folder
then, and None wherever the name comes from a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import UserError, out_of_memory
from core.models import FORMS, Inputs
from core.models._elsewhere.library import reason


def build(name: str, keys: dict[str, Any], inputs: Inputs, code: Path | None) -> nn.Module:
    """Raises UserError in one line for whatever is wrong with the name, with the keys, or with the code."""
    source, _, rest = name.partition(":")
    match source:
        case "torchvision":
            from core.models._elsewhere import torchvision

            return torchvision.build(rest, keys, inputs)
        case "timm":
            from core.models._elsewhere import timm

            return timm.build(rest, keys, inputs)
        case "python":
            from core.models._elsewhere import python

            return python.build(rest, keys, inputs, code)
    raise UserError(f"model.name: {name!r} is not known; expected {FORMS}")


def sketch(name: str, make: Callable[[], nn.Module], inputs: Inputs, code: Path | None) -> nn.Module:
    """What ``make`` gives, tried on images; on the meta device where it, and what it is made of, can do without memory.

    Code of the user's own may make tensors in any way, and is only tried for real. Raises UserError.
    """
    if not name.startswith("python:"):
        try:
            with torch.device("meta"):
                return _tried(name, make(), inputs, code)
        except UserError as error:
            if "meta" not in str(error):
                raise
    return _tried(name, make(), inputs, code)


def _tried(name: str, network: nn.Module, inputs: Inputs, code: Path | None) -> nn.Module:
    """In training on two images, since norms have nothing to go by in one; and in evaluation on one."""
    parameter = next(network.parameters(), None)
    if parameter is None:
        raise UserError(f"model.name: {name} has no parameters, so that there is nothing to train")
    for training, images in ((True, 2), (False, 1)):
        shape = (images, inputs.channels, inputs.size, inputs.size)
        try:
            with torch.no_grad():
                output = network.train(training)(torch.zeros(shape, device=parameter.device))
        except Exception as error:
            if out_of_memory(error):
                raise
            raise UserError(_refusal(name, inputs, error, code)) from None
        if not isinstance(output, Tensor) or output.shape != (images, inputs.classes):
            given = f"{list(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
            when = "training" if training else "evaluation"
            raise UserError(
                f"model.name: {name} gives {given} in {when} for {images} images of {inputs.classes} classes; "
                f"expected logits [{images}, {inputs.classes}]"
            )
    return network.train()


def _refusal(name: str, inputs: Inputs, error: Exception, code: Path | None) -> str:
    if code is not None:
        from core.models._elsewhere.python import told

        return f"model.name: {name} fails on images of {_form(inputs)}: {told(error, code)}"
    return (
        f"model.name: {name} does not take images of {_form(inputs)}: {reason(error)}; "
        f"use another data.size (of a folder of images), or another network"
    )


def _form(inputs: Inputs) -> str:
    return f"{inputs.channels}x{inputs.size}x{inputs.size}"

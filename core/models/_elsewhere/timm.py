"""timm's networks, without weights; an optional library."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn

from core.errors import UserError
from core.explain import hint
from core.models import Inputs
from core.models._elsewhere.library import made

INSTALL = "pip install 'tui-trainer[timm]'"


def build(name: str, keys: dict[str, Any], inputs: Inputs) -> nn.Module:
    """Raises UserError, also where timm is not installed."""
    try:
        import timm as library
    except ImportError as error:
        raise UserError(f"model.name: timm:{name} needs timm ({error}); install it with: {INSTALL}") from None
    known = library.list_models()
    if name not in known:  # also keeps out what it would fetch or read: hf-hub:, local-dir:
        raise UserError(
            f"model.name: timm has no network {name!r}{hint(name, known)}; it has {len(known):,}: timm.list_models()"
        )
    settled = {"num_classes": inputs.classes, "in_chans": inputs.channels}
    make = partial(library.create_model, name, pretrained=False)
    sized = {**settled, "img_size": inputs.size}
    return made(f"timm:{name}", make, sized if _takes_size(make, sized) else settled, keys, inputs)


def _takes_size(make: partial[nn.Module], sized: dict[str, Any]) -> bool:
    """Whether a network is made for one size of images; only trying tells."""
    import torch

    try:
        with torch.device("meta"):
            make(**sized)
    except TypeError as error:
        return "'img_size'" not in str(error)
    except Exception:  # told by whoever builds it
        return True
    return True

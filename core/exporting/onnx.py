"""ONNX, for onnxruntime and whatever else runs it: preprocessing inside, facts in ``metadata_props``.

By ``pip install 'tui-trainer[onnx]'``.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UserError
from core.exporting import _use
from core.exporting._facts import INPUT, OUTPUT, Facts, texts

if TYPE_CHECKING:
    from torch import Tensor

    from core.exporting import Run
    from core.exporting._program import Model

BESIDE = ()
WORDS = "an ONNX program with its preprocessing inside"
OPSET = 20
"""The first with GELU as one operator; onnxruntime has it since 1.17."""


def check() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"ONNX needs onnx, onnxscript and onnxruntime ({error}); install them with: pip install 'tui-trainer[onnx]'"
        ) from None


def files(model: Model, name: str) -> dict[str, bytes]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its own future
        made = torch.onnx.export(
            model.traced, dynamo=True, input_names=[INPUT], output_names=[OUTPUT], opset_version=OPSET,
            dynamic_shapes={INPUT: {0: "batch"}}, external_data=False, verbose=False,
        )  # fmt: skip
    assert made is not None
    for node in made.model.graph.all_nodes():
        node.metadata_props.clear()  # how torch came to it
    made.model.metadata_props.update(texts(model.facts))
    return {name: made.model_proto.SerializeToString()}


def opened(path: Path, code: Path | None) -> Run:
    import onnxruntime
    import torch

    session: Any = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        (logits,) = session.run([OUTPUT], {INPUT: images.numpy()})
        return torch.from_numpy(logits)

    return run


def use(facts: Facts, name: str) -> str:
    return _use.program(
        facts,
        ("import json",),
        ("import onnxruntime",),
        f"""\
session = onnxruntime.InferenceSession({_use.quoted(name)})
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])""",
        f'(logits,) = session.run(["{OUTPUT}"], {{"{INPUT}": images}})',
    )

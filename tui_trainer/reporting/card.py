"""An exported model's card: README.md as the Hugging Face hub and people read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from core import data, exporting
from core.data.sharing import on_hub
from core.exporting import INPUT, OUTPUT, Export, Facts, Written
from core.recipe import to_toml
from core.view.words import count, format_bytes, format_metric
from tui_trainer.escape import printable
from tui_trainer.reporting.classes import MOST_CLASSES
from tui_trainer.reporting.markdown import block, pairs, table, text

UNKNOWN = "unknown"
TASK = "image-classification"
ORDERS = {1: "grey", 3: "red, green, blue"}


def card(export: Export, licence: str = UNKNOWN) -> str:
    """``licence`` is one of the hub's identifiers."""
    return "\n".join(_lines(export, licence)) + "\n"


def _lines(export: Export, licence: str) -> Iterator[str]:
    facts = export.facts
    yield from ("---", *_yaml(_head(export, licence)), "---", "", f"# {text(facts.name)}", "", text(_sentence(facts)))
    yield from pairs(tuple(_rows(facts)))
    yield from ("", "## Accuracy", "", *_accuracy(export))
    yield from ("", "## Files", "", *_files(export.files))
    yield from ("", "## How it was verified", "", *_verified(export))
    yield from ("", "## How to use it", *_uses(export))
    yield from ("", "## Recipe", "", _hash(facts), "")
    yield from block(to_toml(export.recipe).splitlines(), "toml")
    yield from ("", "## Data and licence", "", *_licence(export, licence))


def _head(export: Export, licence: str) -> dict[str, Any]:
    facts = export.facts
    result = {
        "task": {"type": TASK, "name": "Image classification"},
        "dataset": _dataset(facts.data),
        "metrics": [{"type": "accuracy", "value": facts.accuracy, "name": "Accuracy"}],
    }
    measured = {"model-index": [{"name": facts.name, "results": [result]}]} if facts.accuracy is not None else {}
    trained_on = on_hub(export.recipe.data.source)
    from_hub = {"datasets": [trained_on.name]} if trained_on else {}
    tags = [TASK, facts.architecture.rpartition(":")[2], *(file.format for file in export.files)]
    return {
        "license": licence, "library_name": "tui-trainer", "pipeline_tag": TASK, "tags": tags, "metrics": ["accuracy"],
        **from_hub, **measured,
    }  # fmt: skip


def _dataset(source: str) -> dict[str, str]:
    """What was measured on: ``type`` is the name that the hub has for it, where it has one."""
    if found := on_hub(source):
        parts = {"config": found.configuration, "split": "test", "revision": found.revision}
        return {"name": source, "type": found.name, **{key: value for key, value in parts.items() if value}}
    return {"name": source, "type": source.partition(":")[2] or source, "split": "test"}


def _sentence(facts: Facts) -> str:
    return (
        f"Says which of {count(len(facts.classes), 'class')} an image shows: a {facts.architecture} network of "
        f"{facts.parameters:,} trainable parameters, trained with tui-trainer."
    )


def _rows(facts: Facts) -> Iterator[tuple[str, str]]:
    channels = ORDERS.get(facts.channels, count(facts.channels, "channel"))
    shape = f"[n, {facts.channels}, {facts.size}, {facts.size}]"
    yield "input", f"{INPUT}: uint8 {shape}, {channels} from 0 to 255, any number of images at a time"
    square = f"the centre square, resampled bicubic to {facts.size}x{facts.size}"
    yield "images of another size", f"turned upright as EXIF says, then {square}"
    yield "preprocessing", "(pixel / 255 - mean) / deviation, by channel"
    yield "mean", ", ".join(f"{value:.6g}" for value in facts.mean)
    yield "deviation", ", ".join(f"{value:.6g}" for value in facts.std)
    yield "output", f"{OUTPUT}: float32 [n, {len(facts.classes)}]; softmax gives probabilities, in the order of the table below"
    yield "weights", f"{facts.checkpoint} of {facts.name}"
    yield "recipe", facts.recipe
    yield "precision", f"float32; evaluate computed in {facts.precision}"


def _accuracy(export: Export) -> Iterator[str]:
    facts, found = export.facts, export.evaluation
    if found is None:
        yield "It was not measured: there were no test images when this was written. The classes, in the order of the logits:"
        yield from _by_class(("", "class"), [(str(place), name) for place, name in enumerate(facts.classes)])
        return
    yield (
        f"**{format_metric('accuracy', found.accuracy)}** of {found.images:,} test images ({text(facts.data)}), with a mean "
        f"cross-entropy of {format_metric('loss', found.loss)}, in float32 as the files compute. `tui-trainer evaluate` "
        f"measures {format_metric('accuracy', facts.evaluated_accuracy)} in {facts.precision}."
    )
    rows = [
        (
            str(place),
            name,
            format_metric("accuracy", row[place] / sum(row)) if sum(row) else "-",
            f"{row[place]:,} of {sum(row):,}",
        )
        for place, (name, row) in enumerate(zip(facts.classes, found.confusion, strict=True))
    ]
    yield from _by_class(("", "class", "accuracy", "right"), rows)


def _by_class(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from table(head, rows[:MOST_CLASSES], right=2)
    if len(rows) > MOST_CLASSES:
        yield from ("", f"and {count(len(rows) - MOST_CLASSES, 'more class')}: each file has the names of all")


def _files(files: tuple[Written, ...]) -> Iterator[str]:
    for file in files:
        yield f"- {text(Path(file.path).name)}: {exporting.of(Path(file.path)).WORDS}, {format_bytes(file.bytes)}"


def _verified(export: Export) -> Iterator[str]:
    known = export.evaluation is not None
    which = (
        "test images, evenly from all classes" if known else "generated images (noise with the mean and deviation of the data)"
    )
    yield (
        f"Each file was loaded anew and run on {which}. Its logits were compared with those of the network, both in float32 on "
        f"a processor; its predictions with those of `tui-trainer evaluate`, in {export.facts.precision}: where they differ, "
        "the two classes are as likely within that precision."
    )
    rows = [
        (
            Path(file.path).name, f"{file.images:,}", f"{file.largest_difference:.2g}", f"{file.tolerance:.2g}",
            f"{file.near_ties:,}", *([format_metric("accuracy", file.accuracy)] if file.accuracy is not None else []),
        )
        for file in export.files
    ]  # fmt: skip
    head = ("file", "images", "largest difference", "allowed", "other predictions", *(["accuracy on these"] if known else []))
    yield from table(head, rows, right=1)


def _uses(export: Export) -> Iterator[str]:
    for file in export.files:
        lines = exporting.of(Path(file.path)).use(export.facts, Path(file.path).name).splitlines()
        yield from ("", f"### {text(Path(file.path).name)}", "", *block(lines, "python"))


def _hash(facts: Facts) -> str:
    return f"`{facts.recipe_hash}` is the hash of the recipe that was run; here it is without the folders of that machine."


def _licence(export: Export, licence: str) -> Iterator[str]:
    source = export.recipe.data.source
    terms = data.terms(source) or "Their terms are not known here: whoever has these images can add them."
    yield f"Trained on images of the data source {text(source)}. {terms}"
    yield ""
    stated = "is not stated: add it here and in the head of this file" if licence == UNKNOWN else f"is {text(licence)}"
    yield f"The licence of these weights {stated}."


def _yaml(value: Mapping[str, Any]) -> Iterator[str]:
    """Texts are quoted as in JSON, which YAML takes."""
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from (f"{key}:", *_indented(_yaml(item)))
        elif isinstance(item, list):
            yield from (f"{key}:", *(line for each in item for line in _item(each)))
        else:
            yield f"{key}: {_scalar(item)}"


def _item(value: Any) -> Iterator[str]:
    lines = list(_yaml(value)) if isinstance(value, Mapping) else [_scalar(value)]
    yield f"- {lines[0]}"
    yield from _indented(lines[1:])


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _scalar(value: Any) -> str:
    return msgspec.json.encode(printable(value) if isinstance(value, str) else value).decode()

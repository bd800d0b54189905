"""A model card, whatever the names in it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from core import data, exporting
from core.data.images import Form, read_image
from core.exporting import Export, Facts, Written, _use
from core.predicting import Evaluation
from core.sections import Data
from tests.core.exported import weights_of
from tests.core.hostile import EVIL, lets_through
from tests.core.training import tiny
from tests.tui.reports import html_of, kinds
from tui_trainer.reporting.card import card

WICKED = (EVIL, '"]\n---\n# x', "<script>alert(1)</script>", "`| a | b |`", "http://x.example @somebody :smile: ![](x)")
PLAIN = ("ant", "bee", "cow", "dog", "eel")


def exported(names: tuple[str, ...] = PLAIN, measured: bool = True) -> Export:
    """Of a network that knows five classes."""
    confusion = [[3 if truth == taken else 1 for taken in range(5)] for truth in range(5)]
    facts = Facts(
        name=names[0], checkpoint=names[1], classes=names, channels=3, size=8, mean=(0.5,) * 3, std=(0.2,) * 3,
        architecture="convnet", parameters=12_345, recipe=names[2], recipe_hash="ab" * 32, data=names[3], precision="bf16",
        accuracy=3 / 7 if measured else None, evaluated_accuracy=0.4 if measured else None, test_images=35 if measured else 0,
    )  # fmt: skip
    file = Written(
        path=f"out/{names[4]}.pt2", format="pt2", bytes=4096, beside=(), images=35, largest_difference=1.5e-6,
        tolerance=4e-4, near_ties=2, accuracy=3 / 7 if measured else None,
    )  # fmt: skip
    found = Evaluation(3 / 7, 1.5, dict.fromkeys(names, 3 / 7), confusion, 35, names[1])
    return Export(facts=facts, files=(file,), evaluation=found if measured else None, recipe=tiny(name=names[2]))


def test_it_says_what_was_measured_and_how() -> None:
    text = card(exported(), "mit")
    for words in (
        "# ant", "12,345 trainable parameters", "| 0 | ant | 42.86 % | 3 of 7 |", "**42.86 %** of 35 test images (dog)",
        "| eel.pt2 | 35 | 1.5e-06 | 0.0004 | 2 | 42.86 % |", "measures 40.00 % in bf16",
        "uint8 [n, 3, 8, 8]", "ab" * 32, "name = \"cow\"",
        "The licence of these weights is mit.",
    ):  # fmt: skip
        assert words in text, words


def test_what_was_not_measured_has_no_figure() -> None:
    text = card(exported(measured=False))
    assert "It was not measured" in text and "generated images" in text and "| 4 | eel |" in text
    assert " %" not in text and "model-index" not in text and "The licence of these weights is not stated" in text


def test_names_from_outside_are_only_text() -> None:
    text = card(exported(WICKED))
    assert lets_through(text) == []
    assert not {"html_block", "html_inline", "link_open", "image"} & kinds(text.split("\n---\n", 1)[1])
    assert "<script" not in html_of(text.split("\n---\n", 1)[1])


@pytest.mark.parametrize(("classes", "words"), [(1000, ""), (1001, "and 1 more class:"), (2500, "and 1,500 more classes:")])
@pytest.mark.parametrize("measured", [True, False])
def test_of_very_many_classes_it_says_how_many_are_left_out(classes: int, words: str, measured: bool) -> None:
    found, names = exported(measured=measured), tuple(f"class {place}" for place in range(classes))
    confusion = [[0] * classes] * classes
    evaluation = found.evaluation and Evaluation(0.5, 1.5, {}, confusion, 35, "best")
    text = card(replace(found, facts=replace(found.facts, classes=names), evaluation=evaluation))
    assert "| 999 | class 999 |" in text and "class 1000 |" not in text
    assert words in text and ("more class" in text) == bool(words)


def test_the_data_say_on_what_terms_they_are() -> None:
    found = exported()
    for source in ("cifar10", "sample"):
        text = card(replace(found, recipe=replace(found.recipe, data=Data(source=source))))
        assert "80 Million Tiny Images" in text and "state no licence" in text
    own = card(replace(found, recipe=replace(found.recipe, data=Data(source="folder"))))
    assert "Their terms are not known here" in own


def test_data_of_the_hub_are_named_as_it_names_them() -> None:
    found = exported()
    text = card(replace(found, recipe=replace(found.recipe, data=Data(source="hf:somebody/cats:small@1.0"))))
    assert 'datasets:\n- "somebody/cats"\n' in text


def test_a_folder_is_no_data_of_the_hub_whatever_its_name() -> None:
    found = exported()
    recipe = replace(found.recipe, data=Data(source="hf:./cats"))
    text = card(replace(found, facts=replace(found.facts, data="hf:./cats"), recipe=recipe))
    assert "datasets:" not in text and "page of the Hugging Face hub" not in text and "Their terms are not known here" in text
    assert 'name: "hf:./cats"\n      type: "./cats"\n' in text


def test_what_was_measured_on_is_named_by_what_was_measured_on() -> None:
    found = exported()
    facts, recipe = replace(found.facts, data="hf:somebody/cats:small@1.0"), replace(found.recipe, data=Data(source="cifar10"))
    text = card(replace(found, facts=facts, recipe=recipe))
    assert "datasets:" not in text and '"cifar10"' not in text.partition("\n---\n")[0]
    assert 'type: "somebody/cats"\n      config: "small"\n      split: "test"\n      revision: "1.0"\n' in text
    for measured, kind in (("torchvision:mnist", "mnist"), ("folder", "folder")):
        assert f'type: "{kind}"\n' in card(replace(found, facts=replace(found.facts, data=measured)))


def test_a_network_for_images_that_no_file_holds_has_a_program_too() -> None:
    found = exported()
    assert "np.zeros((1, 4, 8, 8), np.uint8)" in card(replace(found, facts=replace(found.facts, channels=4)))


@pytest.mark.parametrize("name", ["net.pt2", "\U0001f431 'a' \"b\"\n\\.pt2", "caf\xe9\u202e.pt2", "torn\udcff.pt2"])
def test_the_program_of_a_card_has_the_name_of_its_file(name: str) -> None:
    assert ast.literal_eval(_use.quoted(name)) == name and _use.quoted(name).isascii()


@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB"), (3, "LA"), (1, "RGB")])
@pytest.mark.parametrize("shape", [(8, 8), (21, 14), (14, 21), (9, 8)])
def test_the_program_of_a_card_sees_the_image_that_predict_sees(
    channels: int, mode: str, shape: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: a quarter to the right
    noise = np.random.RandomState(0).randint(0, 256, (*shape, len(mode)), np.uint8)
    Image.fromarray(noise).convert(mode).save(tmp_path / "image.png", exif=turned)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    facts = replace(exported().facts, channels=channels, size=8)
    exec(_use.program(facts, (), (), "classes = [0]", "logits = np.zeros((1, 1))"), names)
    assert np.array_equal(names["images"][0], read_image(tmp_path / "image.png", Form(8, channels)))


def test_every_source_says_something_of_its_terms() -> None:
    assert all(isinstance(data.terms(name), str) for name in data.names() if data.names_of(name) == ())


@pytest.mark.others
def test_the_hub_reads_its_head() -> None:
    model_card = import_module("huggingface_hub").ModelCard
    for names in (PLAIN, WICKED):
        read = model_card(card(exported(names), "cc-by-4.0")).data
        assert read.license == "cc-by-4.0" and read.pipeline_tag == "image-classification"
        (result,) = read.eval_results
        assert result.metric_value == 3 / 7 and result.metric_type == "accuracy" and result.dataset_split == "test"
    assert read.model_name == msgspec.json.decode(re.findall(r"^- name: (.*)$", card(exported(WICKED)), re.MULTILINE)[0])


@pytest.mark.others
def test_the_program_for_onnxruntime_says_what_predict_says(tmp_path: Path) -> None:
    from core import predict
    from core.models import Inputs

    weights = weights_of(tmp_path / "drawn.safetensors", {"name": "convnet", "widths": [8, 8]}, Inputs(10, 1, 8))
    found = exporting.export(weights, [tmp_path / "net.onnx"], threads=1, synthetic=True)
    Image.effect_noise((20, 14), 80).save(tmp_path / "image.png")
    (known,) = predict(weights, [tmp_path / "image.png"])
    (program,) = re.findall(r"```python\n(.*?)```", card(found), re.DOTALL)
    process = subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (process.stdout, process.returncode) == (f"{known.class_}\n", 0), process.stderr

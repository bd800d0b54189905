"""Kernels in C: they compute what torch does, are compiled once, and can be done without."""

from __future__ import annotations

import gc
import os
import stat
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import torch
from torch.nn import functional

from core import data
from core.commands import Save, Stop
from core.training import kernels as finding
from core.training import setup as setups
from core.training import winograd
from core.training.kernels import compiling, kernels, lacking
from tests.core.training import STEPS, Script, fingerprint, new_run, tiny, train

TYPES = [torch.float32, torch.bfloat16]
needs_kernels = pytest.mark.skipif(kernels(torch.float32) is None, reason=lacking(torch.float32) or "there are kernels")
WIDE = {"name": "convnet", "widths": [32, 64], "activation": "silu"}
SHAPES = [(3, 24, 64, 16, 16), (3, 50, 33, 7, 9), (2, 3, 5, 3, 3), (5, 64, 64, 6, 6), (2, 7, 40, 4, 5), (3, 33, 31, 2, 2)]


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The cache folder of a machine on which nothing has been compiled."""
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))
    finding._found.cache_clear()
    yield tmp_path / "cache"
    finding._found.cache_clear()


def drawn(shape: tuple[int, ...], dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def both_ways(images: torch.Tensor, weight: torch.Tensor, halve: bool) -> tuple[torch.Tensor, ...]:
    """Output and both gradients; the output's is the output itself."""
    images, weight = images.clone().requires_grad_(), weight.clone().requires_grad_()
    output = winograd.convolve(images, weight, halve)
    torch.autograd.backward(output, output.detach())
    assert images.grad is not None and weight.grad is not None
    return output.detach(), images.grad, weight.grad


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.double() - expected.double()).norm() / expected.double().norm())


@needs_kernels
@pytest.mark.parametrize("halve", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("count", "channels_in", "channels", "height", "width"), SHAPES)
def test_a_convolution_is_what_torchs_own_operations_make_of_it(
    monkeypatch: pytest.MonkeyPatch,
    count: int, channels_in: int, channels: int, height: int, width: int, dtype: torch.dtype, halve: bool,
) -> None:  # fmt: skip
    images, weight = drawn((count, channels_in, height, width), dtype), drawn((channels, channels_in, 3, 3), torch.float32, 1)
    found = both_ways(images, weight, halve)
    monkeypatch.setattr(winograd, "kernels", lambda dtype: None)
    expected = both_ways(images, weight, halve)
    if not halve:
        assert distance(found[0], expected[0]) < (3e-6 if dtype == torch.float32 else 1e-3)  # hardly one is rounded otherwise
    for ours, theirs in zip(found, expected, strict=True):
        # Where two of the pixels that are pooled are equal in bfloat16, either may be taken for the greatest.
        assert ours.shape == theirs.shape
        assert distance(ours, theirs) < (3e-6 if dtype == torch.float32 else 0.15 if halve else 5e-3)


@needs_kernels
@pytest.mark.parametrize("dtype", TYPES)
def test_of_every_two_by_two_pixels_the_greatest_is_kept_and_gets_the_gradient(dtype: torch.dtype) -> None:
    """The gradients are those of a convolution of which the others had none."""
    images, weight = drawn((4, 32, 8, 8), dtype), drawn((48, 32, 3, 3), torch.float32, 1)
    whole = winograd.convolve(images, weight).float().requires_grad_()
    pooled = functional.max_pool2d(whole, 2)
    torch.autograd.backward(pooled, pooled.detach())
    assert whole.grad is not None
    gradient = whole.grad.to(dtype)
    both = images.clone().requires_grad_(), weight.clone().requires_grad_()
    torch.autograd.backward(winograd.convolve(*both), gradient)
    found = both_ways(images, weight, True)
    assert torch.equal(found[0].float(), pooled)
    for ours, leaf in zip(found[1:], both, strict=True):
        assert leaf.grad is not None and distance(ours, leaf.grad) < (3e-6 if dtype == torch.float32 else 0.1)


@needs_kernels
@pytest.mark.parametrize("halve", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("worst", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_that(dtype: torch.dtype, halve: bool, worst: float) -> None:
    images = drawn((2, 32, 8, 8), dtype)
    images[0, 3, 2, 2] = worst
    output, *gradients = both_ways(images, drawn((48, 32, 3, 3), torch.float32, 1), halve)
    assert not output[0].isfinite().all() and output[1].isfinite().all()
    assert not any(gradient.isfinite().all() for gradient in gradients)


@needs_kernels
@pytest.mark.parametrize("dtype", TYPES)
def test_any_number_of_threads_gives_the_same(dtype: torch.dtype) -> None:
    """Whether each takes images of its own or all the same."""
    images, weight = drawn((33, 32, 16, 16), dtype), drawn((48, 32, 3, 3), torch.float32, 1)
    before, found, shares = torch.get_num_threads(), [], []
    try:
        for threads in (1, 2, 3, 4, 7):
            torch.set_num_threads(threads)
            found.append(both_ways(images, weight, True))
            shares.append(len(winograd._shares(images.permute(0, 2, 3, 1), weight)))
    finally:
        torch.set_num_threads(before)
    assert shares == [1, 2, 3, 4, 1]
    for each in found[1:]:
        # The gradient of the filters is a sum of products in bfloat16, of other parts of the images.
        limits = (1e-5, 1e-5, 1e-5 if dtype == torch.float32 else 2e-2)
        assert all(distance(ours, theirs) < limit for ours, theirs, limit in zip(each, found[0], limits, strict=True))


@needs_kernels
def test_what_fails_in_one_of_several_threads_fails() -> None:
    compiled = kernels(torch.float32)
    assert compiled is not None
    called = []

    def work(number: int) -> None:
        called.append((number, torch.is_grad_enabled()))
        if number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compiled.together(work, 3)
    assert sorted(called) == [(0, False), (1, False), (2, False)]


@needs_kernels
def test_what_failed_there_holds_no_memory() -> None:
    """Or a smaller batch would be tried beside the one that did not fit."""
    compiled = kernels(torch.float32)
    assert compiled is not None
    held = []

    def work(number: int) -> None:
        images = torch.zeros(1)
        held.append(weakref.ref(images))
        raise RuntimeError("no memory")

    def failing() -> None:
        with suppress(RuntimeError):
            compiled.together(work, 2)
            pytest.fail("it did not fail")

    gc.disable()
    try:
        failing()
        assert [one() for one in held] == [None, None]
    finally:
        gc.enable()


@needs_kernels
def test_sums_of_another_type_are_refused() -> None:
    """C would read beyond them."""
    compiled = kernels(torch.bfloat16)
    assert compiled is not None
    with pytest.raises(TypeError, match=r"float32 was expected, not torch\.bfloat16"):
        compiled.add(torch.zeros(64, dtype=torch.bfloat16), torch.zeros(64, dtype=torch.bfloat16))


@needs_kernels
def test_a_processor_without_instructions_for_bfloat16_rounds_alike(monkeypatch: pytest.MonkeyPatch, anew: Path) -> None:
    images, weight = drawn((3, 50, 8, 8), torch.bfloat16), drawn((33, 50, 3, 3), torch.float32, 1)
    spoilt = images.clone()
    spoilt[0, 3, 2, 2] = float("nan")
    native = *both_ways(images, weight, True), winograd.convolve(spoilt, weight)
    plainly = tuple(flag for flag in compiling.FLAGS if not flag.startswith("-march"))
    monkeypatch.setattr(compiling, "FLAGS", plainly)
    finding._found.cache_clear()
    *found, marred = *both_ways(images, weight, True), winograd.convolve(spoilt, weight)
    assert all(distance(ours, theirs) < 0.05 for ours, theirs in zip(found, native[:3], strict=True))
    assert marred.isnan().any() and torch.equal(marred.isnan(), native[3].isnan())
    assert len(list((anew / "kernels").glob("*.so"))) == 2


@needs_kernels
def test_they_are_compiled_once_for_this_user_alone(monkeypatch: pytest.MonkeyPatch, anew: Path) -> None:
    first = kernels(torch.bfloat16)
    assert first is not None
    [made] = (anew / "kernels").iterdir()
    assert stat.S_IMODE((anew / "kernels").stat().st_mode) == 0o700
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("compiled again"))
    finding._found.cache_clear()
    again = kernels(torch.bfloat16)
    assert again is not None and again.name == first.name and [made] == list((anew / "kernels").iterdir())


@needs_kernels
def test_nothing_is_run_from_a_folder_that_others_can_write_to(anew: Path) -> None:
    (anew / "kernels").mkdir(parents=True)
    (anew / "kernels").chmod(0o777)
    assert kernels(torch.float32) is None and "others can write to" in lacking(torch.float32)


@needs_kernels
def test_nor_from_one_that_others_can_put_another_in_the_place_of(anew: Path) -> None:
    anew.mkdir()
    anew.chmod(0o777)
    assert kernels(torch.float32) is None and "or above it" in lacking(torch.float32)
    anew.chmod(0o1777)
    finding._found.cache_clear()
    assert kernels(torch.float32) is not None


@needs_kernels
@pytest.mark.parametrize("damage", ["cut", "empty", "another's"])
def test_what_is_not_to_the_byte_what_was_compiled_is_compiled_again(anew: Path, damage: str) -> None:
    """In a process of its own, since what is loaded is mapped."""
    program = "import torch; from core.training.kernels import kernels; print(kernels(torch.float32).name)"

    def name() -> str:
        return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    first = name()
    [made] = (anew / "kernels").iterdir()
    whole = made.read_bytes()
    if damage == "another's":
        made.chmod(0o666)
    else:
        made.write_bytes(whole[: len(whole) // 2 if damage == "cut" else 0])
    assert name() == first
    assert made.read_bytes() == whole and stat.S_IMODE(made.stat().st_mode) == 0o600


def test_a_compiler_that_does_not_end_is_given_up_with_all_that_it_began(
    monkeypatch: pytest.MonkeyPatch, anew: Path, tmp_path: Path
) -> None:
    (tmp_path / "cc").write_text(f"#!/bin/sh\nsleep 300 &\necho $! > {tmp_path}/child\nwait\n")
    (tmp_path / "cc").chmod(0o700)
    monkeypatch.setenv("CC", str(tmp_path / "cc"))
    monkeypatch.setattr(compiling, "SECONDS", 1)
    assert lacking(torch.float32) == "the C compiler took longer than 1 s"
    number = int((tmp_path / "child").read_text())
    for _ in range(50):  # a killed one is there until somebody has asked for its end
        if not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.1)
    else:
        pytest.fail("it runs on")


@needs_kernels
def test_a_limit_of_threads_leaves_nothing_undone(anew: Path) -> None:
    program = """
import torch
from core.training import winograd
torch.set_num_threads(3)
for images in (torch.randn(7, 32, 8, 8), torch.randn(40, 32, 16, 16)):
    weight = torch.randn(48, 32, 3, 3)
    expected = torch.nn.functional.conv2d(images, weight, padding=1)
    torch.testing.assert_close(winograd.convolve(images, weight), expected, rtol=1e-3, atol=1e-3)
"""
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"OMP_THREAD_LIMIT": "2"}, check=True)


@needs_kernels
def test_the_same_compiler_makes_the_same(anew: Path) -> None:
    """By its name a resume knows whether the bits are those of before."""
    names = []
    for _ in range(2):
        found = kernels(torch.bfloat16)
        assert found is not None
        names.append(found.name)
        for made in (anew / "kernels").iterdir():
            made.unlink()
        finding._found.cache_clear()
    assert names[0] == names[1]


@pytest.mark.parametrize(("compiler", "expected"), [
    ("/nowhere/cc", "No such file"), ("false", "the C compiler failed (without a word)"), ("", "there is no C compiler (cc)"),
    ("cc '", "No closing quotation"),
])  # fmt: skip
def test_without_a_compiler_torch_does_it_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, anew: Path, tmp_path: Path, compiler: str, expected: str
) -> None:
    monkeypatch.setenv("CC", compiler)
    if not compiler:
        monkeypatch.setenv("PATH", str(tmp_path))
    recipe = tiny(model=WIDE, convolution="winograd", precision="bf16", epochs=1)
    setup = setups.prepare(recipe, 1, data.silent)
    [note] = [note for note in setup.notes if note.startswith("convolutions and batch norm may take twice as long")]
    assert expected in note
    assert setup.world.kernels == "torch"
    train(new_run(tmp_path / "run", recipe))


def test_a_training_that_would_not_use_them_does_without(anew: Path) -> None:
    setup = setups.prepare(tiny(model=WIDE, convolution="direct"), 1, data.silent)
    assert setup.world.kernels == "torch" and not setup.notes and not anew.exists()


@needs_kernels
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_interrupted_twice_within_an_epoch_it_ends_with_the_same_bits(tmp_path: Path, precision: str) -> None:
    recipe = tiny(model=WIDE, convolution="winograd", precision=precision, epochs=2)
    used = setups.prepare(recipe, 1, data.silent)
    assert used.world.kernels != "torch"
    assert sum(isinstance(module, winograd.Convolution) for module in used.network.modules()) == 2
    whole, stopped = (new_run(tmp_path / name, recipe) for name in ("whole", "stopped"))
    train(whole)
    killed, again = Script(), Script()
    killed.at, killed.kill_at = {2: [Save()]}, 4
    again.at = {STEPS + 2: [Stop()]}
    train(stopped, killed)
    train(stopped, again)
    train(stopped)
    assert fingerprint(stopped) == fingerprint(whole)

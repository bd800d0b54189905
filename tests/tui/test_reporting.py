"""A report's contents and its two forms, of runs in every state and with every kind of name."""

from __future__ import annotations

import io
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from PIL import Image
from textual.color import Color
from textual.theme import Theme

from core import events as e
from core.events import Event
from core.run.folder import RunFile, RunFolder
from core.run.journal import read_all
from core.view import pictures, whole
from core.view.fold import fold
from core.view.series import extended
from core.view.state import Series, State
from core.view.summary import opening, with_liveness
from tests.core.strategies import journals
from tests.tui import runs as made
from tests.tui import states
from tests.tui.pictured import with_pictures
from tests.tui.reports import Page, html_of, kinds
from tests.tui.runs import NOW
from tests.tui.screens import trained
from tests.tui.test_theme import contrast
from tui_trainer import theme
from tui_trainer.reporting import curves
from tui_trainer.reporting.classes import STRENGTHS, measured
from tui_trainer.reporting.contents import Report, contents
from tui_trainer.reporting.markdown import markdown, text
from tui_trainer.reporting.page import page
from tui_trainer.reporting.pictures import png

EVIL = "<script>alert(1)</script>"
MARKED = "@someone #1 [x](http://evil.example) **b** | `c` ``d` :tada:"
NAMES = (EVIL, '"><img src=x onerror=alert(1)>', MARKED, "\u202eright\x1b[31m")


def report(runs: Path, state: str) -> Report:
    run = states.make(runs, state)
    with trained(run, states.STATES[state].live):
        return contents(run, whole.look(run), NOW)


SENTENCES = {
    "empty": "The run goes on (starting), before its first step; what stands here is not its result.",
    "warming_up": "The run goes on (reading data 40 %), before its first step; what stands here is not its result.",
    "one_point": "The run goes on (training), at epoch 1 of 20, step 10; what stands here is not its result.",
    "running": "The run goes on (training), at epoch 8 of 30, step 760; what stands here is not its result.",
    "paused": "The run is paused, at epoch 8 of 20, step 760.",
    "nan": "The run goes on (training), at epoch 4 of 20, step 360; what stands here is not its result.",
    "early_stopped": "Early stopping has ended the run: val.loss did not improve for 5 epochs, at epoch 14 of 20, step 1,400.",
    "failed": "The run has failed (diverged): train.loss is NaN; lower optimizer.lr, at epoch 4 of 20, step 350.",
    "lost": "The trainer is gone without a word, at epoch 8 of 20, step 760.",
}  # fmt: skip


@pytest.mark.parametrize("state", states.STATES)
def test_every_state_has_its_page_in_honest_words(runs: Path, state: str) -> None:
    found = report(runs, state)
    shown, written = Page(page(found)), markdown(found)
    assert found.sentence == SENTENCES[state]
    assert found.sentence in shown.text and found.sentence in html_of(written).replace("<code>", "").replace("</code>", "")
    assert len(set(shown.ids)) == len(shown.ids)
    assert not kinds(written) & {"link_open", "image", "html_inline"}


def test_what_stands_in_the_page_of_a_finished_run(runs: Path) -> None:
    found = report(runs, "early_stopped")
    shown = Page(page(found))
    for words in (
        "demo early-stopped", "test accuracy", "test loss", "stopped after epoch 14: best", "Measured: test after epoch 9",
        "Measured: validation after epoch 14", "airplane taken for bird:", "4,257,260 parameters", "batch_size = ", "bf16",
        "tui-trainer resume demo --epochs 40", "tui-trainer evaluate demo",
    ):  # fmt: skip
        assert words in shown.text, words
    assert shown.tags.count("figure") == len(found.plots) + len(found.gallery.shown) == 5 + 32
    assert "37 kept on the validation split after epoch 7" in shown.text


def test_a_living_run_says_what_can_be_told_it(runs: Path) -> None:
    found = report(runs, "running")
    assert [command for command, _ in found.commands[:2]] == ["tui-trainer attach demo", "tui-trainer stop demo"]
    assert ("700", "setting", "learning rate 0.005 -> 0.001") in found.history.rows
    assert ("750", "saved", "saved 'before [b]it[/b]'") in found.history.rows


def test_a_lost_run_has_its_workers_last_words(runs: Path) -> None:
    found = report(runs, "lost")
    assert found.log[-1] == "\\x1b[31mMemoryError" and found.log[-1] in Page(page(found)).text
    assert "tui-trainer resume demo" in [command for command, _ in found.commands]


def test_accuracies_are_those_that_the_run_has_stored(runs: Path) -> None:
    tta: e.Metrics = {"test.accuracy": 0.9329, "test.tta_accuracy": 0.939, "test.loss": "inf"}
    run = made.make(runs, "demo", [made.started(), e.ValidationDone(split="test", metrics=tta), e.RunFinished(epoch=20)])
    figures = dict(contents(run, whole.look(run), NOW).figures)
    assert figures["test accuracy"] == "93.29 %" and figures["test with TTA"] == "93.90 %" and figures["test loss"] == "inf"


# What comes from outside


def hostile() -> Iterator[Event]:
    yield e.MessageLogged(level="warning", text=EVIL)
    yield replace(made.started(classes=NAMES), recipe=EVIL, data=EVIL, model=EVIL, device=EVIL, monitor=EVIL)
    odd: e.Metrics = dict.fromkeys(NAMES, 1.0)
    yield e.StepDone(step=10, epoch=1, steps=10, images=10, seconds=1.0, metrics={**odd, "train.loss": 1.0})
    yield e.RemarkAdded(step=10, epoch=1, text=MARKED)
    yield e.CheckpointSaved(checkpoint=EVIL, step=10, epoch=1, name=EVIL)
    yield e.ValidationDone(
        epoch=1, step=10, metrics={**odd, "val.loss": 1.0}, correct=(1, 2, 3, 4), images=(5, 5, 5, 5), checkpoint=EVIL,
        confusion=((1, 2, 1, 1), (1, 2, 1, 1), (1, 0, 3, 1), (1, 0, 0, 4)),
    )  # fmt: skip
    yield e.EarlyStoppingUpdated(metric=EVIL, value=1.0, best=1.0, epoch=1, patience=5)
    yield e.RunFailed(kind=EVIL, reason=MARKED, weights=EVIL)


def evil(runs: Path) -> Report:
    run = made.make(runs, "demo", hostile())
    run.run_file.write_bytes(
        b'{"recipe": {"name": "<script>x</script>", "seed": "<script>"}, "git": "<b>", "versions": {"<i>": "<u>"}}'
    )
    run.log.write_text(EVIL)
    return contents(run, whole.look(run), NOW)


def test_a_page_takes_names_for_text(runs: Path) -> None:
    document = page(evil(runs))
    shown = Page(document)
    assert "<script" not in document and EVIL in shown.text and "onerror=alert(1)>" in shown.text
    assert "\u202e" not in document and "\x1b" not in document and "\\u202eright\\x1b[31m" in shown.text


def test_markdown_takes_names_for_text(runs: Path) -> None:
    written = markdown(evil(runs))
    assert kinds(written) <= kinds("# a\n\nb `c` **d**\n\n|a|\n|-|\n|b|\n\n1. a\n\n- b\n\n```\nc\n```\n\n<details></details>\n")
    shown = html_of(written)
    assert "<script" not in shown and "<img" not in shown and "onerror" in shown
    assert f"<td><code>{MARKED}</code></td>" in shown  # its bar has not cut the cell
    rows = [line for line in written.splitlines() if line.startswith("|")]
    assert all(re.sub(r"\\\|", "", row).count("|") >= 2 for row in rows)


@pytest.mark.parametrize("words", ["airplane", "93.29 %", "step-00000900", "cat taken for dog: 61 of 1,000", "+0.5", "-", ""])
def test_what_is_harmless_stays_as_it_is(words: str) -> None:
    assert text(words) == words


@pytest.mark.parametrize(
    "words", ["*a*", "_a_", "<b>", "@a", "#1", "www.a.b", "http://a.b", "a|b", "`", " a", "a`", ":x:", "- a", "&lt;"]
)
def test_what_means_something_in_markdown_is_code(words: str) -> None:
    inline = html_of(text(words))
    assert inline.startswith("<p><code>") and inline.count("<") == 4


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=journals)
def test_whatever_a_journal_says_there_is_a_page(tmp_path: Path, told: list[Event]) -> None:
    run = RunFolder(tmp_path / "demo")
    found = contents(run, fold(State(), told), NOW)
    Page(page(found))
    assert "html_inline" not in kinds(markdown(found))


def test_a_damaged_run_file_is_said(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    run.run_file.write_text("{[bold]")
    assert "damaged" in Page(page(contents(run, whole.look(run), NOW))).text


# Curves


def drawn(*values: float, name: str = "train.loss") -> curves.Plot:
    steps = list(range(1, len(values) + 1))
    state = State(series={name: extended(Series(), steps, values)}, step=len(values), steps_per_epoch=5)
    return next(plot for plot in curves.plots(state) if plot.lines)


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in path.strip("MZ").split("L"))]


def test_a_line_goes_where_its_values_are() -> None:
    (line,) = drawn(0.0, 10.0, 5.0, 5.0).lines
    (_, first), (_, second), (_, third), (last, _) = places(line.path)
    assert second < third < first and third == pytest.approx((first + second) / 2, abs=0.1)
    assert last == curves.RIGHT and second > curves.TOP and first < curves.BOTTOM


def test_no_spike_is_lost_among_many_values() -> None:
    values = [1.0] * 5000
    values[2345] = 50.0
    (line,) = drawn(*values).lines
    assert min(y for _, y in places(line.band)) < curves.TOP + 10 < min(y for _, y in places(line.path))
    assert len(places(line.path)) <= curves.COLUMNS + 1


def test_ticks_are_round_and_epochs_are_told() -> None:
    plot = drawn(*range(23))
    assert [tick.words for tick in plot.across] == ["0", "5", "10", "15", "20"]
    assert [tick.words for tick in plot.up] == ["0", "5", "10", "15", "20"]
    assert [tick.words for tick in plot.epochs] == ["1", "2", "3", "4"]


def test_what_is_not_finite_leaves_a_gap_and_a_word() -> None:
    plot = drawn(1.0, 2.0, math.nan, math.inf)
    assert plot.diverged and plot.diverged.words == "not finite at step 3 for the first time"
    assert plot.lines[0].value == "inf" and len(places(plot.lines[0].path)) == 2
    assert drawn(math.nan).description == "train.loss: no finite value"


@pytest.mark.parametrize("value", [0.0, 1.0, -3e-300, 1e289, -1e289])
def test_a_constant_has_a_line_in_the_middle(value: float) -> None:
    (line,) = drawn(value, value, value).lines
    assert {y for _, y in places(line.path)} == {(curves.TOP + curves.BOTTOM) / 2}


def test_marks_and_the_best_value_are_told(runs: Path) -> None:
    run = made.make(runs, "demo", made.eventful())
    loss = contents(run, whole.look(run), NOW).plots[0]
    told = {(moment.kind, moment.words) for moment in loss.moments}
    assert ("remark", "step 330: now [b]with[/b] more care") in told
    assert ("saved", "step 240: saved 'good so far'") in told
    assert ("resume", "step 500: resumed from step-00000500") in told
    assert ("checkpoint", "step 500: checkpoint step-00000500") in told
    assert loss.best and loss.best.words.startswith("best ")
    assert [line.name for line in loss.lines] == ["train", "val"] and len(loss.lines[1].dots) == 2


# Classes and pictures


def test_the_matrix_is_as_strong_as_its_shares(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    found, _ = measured(whole.look(run))
    row = found.matrix[0]
    assert row[0].right and row[0].tip.startswith("airplane, right: ") and row[0].words == f"{found.classes[0].share:.0f}"
    assert max(cell.strength for row in found.matrix for cell in row if not cell.right) == 10
    assert row[1].words == "" and row[1].strength == 0


def test_pictures_are_those_that_the_run_keeps(runs: Path) -> None:
    run = with_pictures(runs, made.early_stopped())
    state = whole.look(run)
    images = Page(page(contents(run, state, NOW))).images
    latest = [item for item in state.pictures if item.kind == "mistakes"][-1]
    known = sorted(pictures.read(run, latest.media, "mistakes"), key=lambda picture: picture.share, reverse=True)
    assert len(images) == 32
    for data, picture in zip(images, known, strict=False):
        image = Image.open(io.BytesIO(data))
        assert b"".join(channel.tobytes() for channel in image.split()) == picture.pixels
    grey = known[0]._replace(channels=1, pixels=known[0].pixels[: 32 * 32])
    assert Image.open(io.BytesIO(png(grey))).tobytes() == grey.pixels


def test_pictures_that_were_changed_are_not_shown(runs: Path) -> None:
    run = with_pictures(runs, made.early_stopped())
    for path in run.media.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    found = contents(run, whole.look(run), NOW).gallery
    assert found.shown == () and "cannot be shown: does not match its SHA-256" in found.words


# The whole journal


def test_a_long_journal_is_read_whole(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    monkeypatch.setattr(whole, "READ_WHOLE", 1000)
    told = list[tuple[int, int]]()
    assert whole.look(run, lambda done, total: told.append((done, total))) == with_liveness(
        fold(opening(run), read_all(run.journal)), False, time.time()
    )
    assert told[-1] == (run.journal.stat().st_size,) * 2


def test_the_page_has_the_consoles_colours(runs: Path) -> None:
    style = Page(page(report(runs, "empty"))).style
    for own in (theme.DARK, theme.LIGHT):
        for colour in (own.background, own.foreground, own.primary, own.accent, own.success, own.warning, own.error):
            assert str(colour) in style


@pytest.mark.parametrize("own", (theme.DARK, theme.LIGHT), ids=lambda own: own.name)
def test_numbers_can_be_read_on_every_heat(runs: Path, own: Theme) -> None:
    """Contrast of at least 4.5 (WCAG)."""
    rule = r"\.s(\d+) \{ background: color-mix\(in srgb, var\(--heat\) (\d+)%, var\(--ground\)\)"
    strengths = {int(strength): int(share) for strength, share in re.findall(rule, Page(page(report(runs, "empty"))).style)}
    assert sorted(strengths) == list(range(1, STRENGTHS + 1)) and sorted(strengths.values()) == list(strengths.values())
    ground, text = Color.parse(str(own.background)), Color.parse(str(own.foreground))
    for heat in (Color.parse(str(own.primary)), Color.parse(str(own.error))):
        assert all(contrast(ground.blend(heat, share / 100), text) >= 4.5 for share in strengths.values())


def test_times_that_are_none(runs: Path) -> None:
    run = RunFolder(runs / "demo")
    run.create(RunFile(name="demo", created=1e300))
    found = contents(run, State(started=1e300, last_time=math.inf), NOW)
    assert ("started", "-") in found.facts and ("last word", "-") in found.facts

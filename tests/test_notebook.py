"""The progress below a notebook's cell."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from rich.console import Group
from rich.text import Text

from tui_trainer.notebook import Cell, here


def test_a_cell_is_text_and_colour() -> None:
    shown = Cell(Group(Text("<b>loss</b>", style="red"), Text("1.25")))._repr_mimebundle_()
    assert shown["text/plain"] == "<b>loss</b>\n1.25"
    assert (
        "&lt;b&gt;loss&lt;/b&gt;" in shown["text/html"] and "<b>" not in shown["text/html"] and "color: " in shown["text/html"]
    )


def test_this_is_none() -> None:
    assert not here()


@pytest.mark.others
def test_in_a_real_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cell trains and shows it live, the next one has the result; the stop button saves and ends."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    options = 'epochs=2, name="first", changes={"data.limit": 200, "batch_size": 20}'
    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_code_cell(f'import tui_trainer as tt\nresult = tt.train("quickstart", {options})'),
        nbformat.v4.new_code_cell("result.status, len(result.history('train.loss')) > 2, type(result.accuracy).__name__"),
    ]
    pictures = list[str]()
    client = nbclient.NotebookClient(book, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}, timeout=150)
    seen = client.process_message

    def process_message(message, cell, index):  # type: ignore[no-untyped-def]
        if "text/plain" in message["content"].get("data", {}):
            pictures.append(message["content"]["data"]["text/plain"])
        return seen(message, cell, index)

    monkeypatch.setattr(client, "process_message", process_message)
    client.execute()
    assert book.cells[1].outputs[0].data["text/plain"] == "('finished', True, 'float')"
    (shown,) = book.cells[0].outputs  # one, that was replaced again and again
    assert "finished: 2 epochs done" in shown.data["text/plain"] and "accuracy by class" in shown.data["text/plain"]
    assert len(pictures) > 3 and any("epoch 1/2" in picture for picture in pictures)


@pytest.mark.others
def test_the_stop_button_of_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = pytest.importorskip("jupyter_client.manager")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    kernel, client = manager.start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        patient = 'epochs=500, changes={"early_stopping.patience": 1000}'
        training = f'import tui_trainer as tt\ntt.train("quickstart", name="long", {patient})'
        asked = client.execute(training, stop_on_error=False)  # else what is asked just after an error is now and then aborted
        while not (tmp_path / "runs" / "long" / "checkpoints" / "step-00000000").exists():
            time.sleep(0.1)
        kernel.interrupt_kernel()
        while (answer := client.get_shell_msg(timeout=100))["parent_header"]["msg_id"] != asked:
            pass  # of its beginning
        assert answer["content"]["ename"] == "KeyboardInterrupt"
        answer = client.execute_interactive("print(tt.result_of('long').status)", timeout=60, output_hook=lambda message: None)
        assert answer["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
    from tui_trainer import result_of

    assert result_of(tmp_path / "runs" / "long").status == "stopped"

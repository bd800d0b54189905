"""``scalars -o FILE.parquet``, read by pyarrow and pandas."""

from __future__ import annotations

import csv
import io
import math
import subprocess
import sys
from pathlib import Path

import pytest

from core import events as e
from core.run.folder import RunFolder
from tests.cli.conftest import COMMAND, Cli, one_line
from tests.tui import runs as made

others = pytest.mark.others


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    (tmp_path / "runs").mkdir()
    return made.make(tmp_path / "runs", "demo", made.diverged())


@others
def test_it_has_what_the_csv_has(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    from pyarrow import parquet

    assert cli("scalars", "demo", "-o", "x.parquet", cwd=tmp_path).stdout == "x.parquet\n"
    table = parquet.read_table(tmp_path / "x.parquet")
    rows = list(csv.DictReader(io.StringIO(cli("scalars", "demo", cwd=tmp_path).stdout)))
    assert table.column_names == list(rows[0]) and table.num_rows == len(rows)
    for name in ("step", "epoch", "images"):
        assert table[name].to_pylist() == [int(row[name]) for row in rows]
    for name in table.column_names[7:]:
        found = ["" if value is None else str(value) for value in table[name].to_pylist()]
        assert found == [row[name] for row in rows]
    assert [moment.timestamp() for moment in table["time"].to_pylist()] == pytest.approx([float(row["time"]) for row in rows])
    assert (str(table.schema.field("time").type), str(table.schema.field("train.loss").type)) == (
        "timestamp[us, tz=UTC]",
        "double",
    )


@others
def test_pandas_takes_it_as_it_is(cli: Cli, run: RunFolder, tmp_path: Path) -> None:
    import pandas

    assert cli("scalars", "demo", "--what", "train.loss,val.*", "-o", "x.parquet", cwd=tmp_path).returncode == 0
    frame = pandas.read_parquet(tmp_path / "x.parquet")
    measured = frame[frame.kind == "validation"].set_index("epoch")["val.loss"]
    assert measured[3] == pytest.approx(made.validation(3).metrics["val.loss"])
    assert math.isnan(frame["train.loss"].iloc[-1]) and str(frame.time.dt.tz) == "UTC"


@others
def test_through_a_pipe_in_groups(run: RunFolder, tmp_path: Path, environment: dict[str, str]) -> None:
    """Many columns, so that few rows fill a group."""
    from pyarrow import parquet

    steps = (e.StepDone(step=n, metrics={f"train.{k}": float(n + k) for k in range(250)}) for n in range(1, 5001))
    made.make(tmp_path / "runs", "wide", [made.started(), *steps])
    command = [*COMMAND, "scalars", "wide", "--format", "parquet"]
    data = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True).stdout
    file = parquet.ParquetFile(io.BytesIO(data))
    assert (file.metadata.num_rows, file.metadata.num_row_groups) == (5000, 2)
    assert file.read(["train.249"])["train.249"].to_pylist() == [float(n + 249) for n in range(1, 5001)]


@others
def test_odd_names_and_times(cli: Cli, tmp_path: Path) -> None:
    from pyarrow import parquet

    (tmp_path / "runs").mkdir()
    run = made.make(tmp_path / "runs", "demo", [made.started(), e.StepDone(step=1, metrics={"step": 5.0, "a\x1b[31m": 2.0})])
    run.journal.write_bytes(run.journal.read_bytes().replace(b'"time":', b'"time":1e300,"x":'))
    cli("scalars", "demo", "-o", "x.parquet", cwd=tmp_path)
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.column_names[7:] == ["step_", "a\\x1b[31m"] and table["step_"].to_pylist() == [5.0]


def test_without_pyarrow_it_is_one_line(run: RunFolder, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "pyarrow.py").write_text("raise ImportError")
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'none')!r}); from tui_trainer.__main__ import main; main()"
    command = [sys.executable, "-P", "-c", program, "scalars", "demo", "-o", "x.parquet"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert one_line(done).endswith("install it with: pip install 'tui-trainer[parquet]'")
    assert not (tmp_path / "x.parquet").exists()

"""The real other tools, without a network, each read back by its own means."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from core import events as e
from core import recipe
from core.events import Event
from core.run.folder import RunFolder
from tests.cli.conftest import COMMAND, SMALL, one_line, wait_for
from tests.trackers import wandb_file
from tests.tui import runs as made

pytestmark = [pytest.mark.others, pytest.mark.timeout(300)]
Log: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]

STOPPED = [made.started(), *made.epochs(2), *made.training(3, 60), e.RunStopped(step=260, epoch=3, reason="asked to stop")]
FROM = 200
"""The step that the run is resumed at: what came after it is trained, and told, anew."""


def again() -> list[Event]:
    fields = {name: getattr(made.started(), name) for name in e.SessionStart.__struct_fields__ if name not in ("time", "seq")}
    ended = e.RunFinished(step=300, epoch=3, metrics={"test.accuracy": 0.5})
    odd = e.StepDone(step=300, epoch=3, metrics={"train.odd": "nan", "train.endless": "inf"})
    return [e.RunResumed(**fields, step=FROM, epoch=3), *made.training(3), odd, made.validation(3), ended]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    (tmp_path / "runs").mkdir()
    run = made.make(tmp_path / "runs", "demo", STOPPED)
    described = json.loads(run.run_file.read_bytes())
    described["recipe"], described["versions"] = recipe.to_table(recipe.load("quickstart")), {"torch": "9.8.7"}
    described["git"] = "0123456789abcdef"
    run.run_file.write_text(json.dumps(described))
    return run


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """``log("demo", "--to", ...)``, as on a machine where nobody has ever logged in, and where nothing answers."""
    nobody = {
        "HOME": str(tmp_path / "home"), "TRACKIO_DIR": str(tmp_path / "trackio"), "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB", "MLFLOW", "TRACKIO"))}

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "tui_trainer", "log", *arguments], cwd=tmp_path, env=kept | nobody | variables,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=250,
        )  # fmt: skip

    return run


def given(log: Log, *arguments: str, **variables: str) -> str:
    done = log(*arguments, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


TRAINED = [*range(10, 301, 10)]
MEASURED = [100, 200, 300]


def test_tensorboard(run: RunFolder, log: Log, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    hint = given(log, "demo", "--to", "tensorboard")
    assert hint == f"look at it with: tensorboard --logdir {run.path / 'tensorboard'}"
    made.say(run, again())
    given(log, "demo", "--to", "tensorboard")
    assert len(list((run.path / "tensorboard").iterdir())) == 2
    read = EventAccumulator(str(run.path / "tensorboard"), {"scalars": 0, "images": 0, "tensors": 0}).Reload()
    losses = read.Scalars("train/loss")
    assert [item.step for item in losses] == TRAINED
    assert [item.step for item in read.Scalars("val/accuracy")] == MEASURED
    assert losses[0].wall_time == pytest.approx(made.NOW, abs=3600) and losses[-1].wall_time > losses[0].wall_time
    assert read.Scalars("best/val_loss")[-1].step == 300
    pictures = read.Images("val/confusion")
    assert [item.step for item in pictures] == MEASURED
    text = tensor_util.make_ndarray(read.Tensors("recipe/text_summary")[0].tensor_proto)[0].decode()
    assert "    [optimizer]" in text.splitlines()


def test_tensorboards_tab_of_hyperparameters(run: RunFolder, log: Log, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams import api_pb2, backend_context, get_experiment, list_session_groups

    made.say(run, again())
    given(log, "demo", "--to", "tensorboard:board")
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(tmp_path / "board"))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(tmp_path / "board"))
    context, request = backend_context.Context(TBContext(data_provider=provider)), RequestContext()
    found = get_experiment.Handler(request, context, "x", api_pb2.GetExperimentRequest()).run()
    columns = [api_pb2.ColParams(metric=info.name) for info in found.metric_infos]
    wanted = api_pb2.ListSessionGroupsRequest(
        slice_size=10, allowed_statuses=api_pb2.Status.values(), col_params=columns
    )  # fmt: skip
    (group,) = list_session_groups.Handler(request, context, "x", wanted).run().session_groups
    assert group.hparams["optimizer.lr"].number_value == recipe.load("quickstart").optimizer.lr
    assert group.hparams["model.name"].string_value == "resnet"
    values = {(value.name.group, value.name.tag): value.value for value in group.metric_values}
    assert values[("", "val/loss")] == pytest.approx(made.validation(3).metrics["val.loss"])
    assert [session.status for session in group.sessions] == [api_pb2.STATUS_SUCCESS]


def test_tensorboards_writer_takes_numbers_that_are_none(tmp_path: Path, log: Log) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    wild: e.Metrics = {"train.a": "nan", "train.b": "inf", "train.c": 1e300, "train.d": -1e300}
    run = made.make(tmp_path / "runs", "demo", [made.started(), e.StepDone(step=1, metrics=wild)])
    given(log, "demo", "--to", "tensorboard")
    read = EventAccumulator(str(run.path / "tensorboard")).Reload()
    assert [str(read.Scalars(f"train/{name}")[0].value) for name in "ab"] == ["nan", "inf"]
    assert read.Scalars("train/c")[0].value == -read.Scalars("train/d")[0].value > 3e38


def test_what_tensorboard_has_is_what_watch_shows(run: RunFolder, log: Log, tmp_path: Path) -> None:
    made.say(run, again())
    given(log, "demo", "--to", "tensorboard")
    command = [sys.executable, "-P", "-m", "tui_trainer", "watch", str(run.path / "tensorboard"), "--once", "--json"]
    (shown,) = json.loads(subprocess.run(command, capture_output=True, check=True, cwd=tmp_path).stdout)
    assert (shown["step"], shown["origin"]) == (300, "TensorBoard")
    expected = made.validation(3).metrics
    assert {name: shown["metrics"][name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_a_confusion_matrix_can_be_read(run: RunFolder, log: Log) -> None:
    """Its cells are there: the diagonal is green, and of the others those are reddest that are most often wrong."""
    from PIL import Image
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    given(log, "demo", "--to", "tensorboard")
    read = EventAccumulator(str(run.path / "tensorboard")).Reload()
    encoded = read.Images("val/confusion")[-1]
    image = Image.open(io.BytesIO(encoded.encoded_image_string)).convert("RGB")
    assert image.size == (encoded.width, encoded.height) and min(image.size) > 500
    colours = [image.getpixel((x, y)) for x in range(0, image.width, 4) for y in range(0, image.height, 4)]
    reds, greens = ([colour[channel] for colour in colours if isinstance(colour, tuple)] for channel in (0, 1))
    differences = [green - red for red, green in zip(reds, greens, strict=True)]
    assert max(differences) > 60 and min(differences) < -20


def files(run: RunFolder) -> list[Path]:
    return sorted((run.path / "wandb").glob("offline-run-*/*.wandb"))


def test_wandb_without_a_login(run: RunFolder, log: Log) -> None:
    given(log, "demo", "--to", "wandb:my-project")
    made.say(run, again())
    hint = given(log, "demo", "--to", "wandb:my-project")
    first, second = files(run)
    named = subprocess.run(f"echo {hint}", shell=True, capture_output=True, text=True, check=True).stdout.split()
    assert named == ["look", "at", "it", "with:", "wandb", "sync", str(first.parent), str(second.parent)]
    one, other = wandb_file.run(first), wandb_file.run(second)
    assert one.run_id == other.run_id and (one.project, one.display_name) == ("my-project", "demo")
    before, after = wandb_file.rows(first), wandb_file.rows(second)
    numbers = [row["_step"] for row in before + after]
    assert numbers == sorted(set(numbers))
    assert [row["step"] for row in before if "train/loss" in row] == [*range(10, 261, 10)]
    assert [row["step"] for row in after if "train/loss" in row] == [*range(FROM + 10, 301, 10)]
    assert {row["rewinds"] for row in before} == {0} and {row["rewinds"] for row in after} == {1}
    assert before[1]["_timestamp"] == pytest.approx(made.NOW, abs=3600)
    (picture,) = [row for row in after if "val/confusion/path" in row]
    assert (second.parent / "files" / picture["val/confusion/path"]).read_bytes().startswith(b"\x89PNG")
    result = wandb_file.summary(second)
    assert (result["status"], result["test/accuracy"]) == ("finished", 0.5) and result["best/val_loss"] > 0


def test_wandb_has_on_disk_what_it_will_not_get_again(run: RunFolder, log: Log, tmp_path: Path) -> None:
    """Its process does not finish the file of one that is killed."""
    given_so_far = [*range(10, 261, 10)]
    with run.hold():
        command = [*COMMAND, "log", str(run.path), "--to", "wandb", "--follow"]
        env = {**os.environ, "HOME": str(tmp_path / "home"), "WANDB_MODE": "offline"}
        follower = subprocess.Popen(command, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        notes = run.path / "trackers"
        wait_for(lambda: any('"step":260' in note.read_text() for note in notes.glob("*.json")))
        follower.kill()
        follower.wait()
    assert [row["step"] for row in wandb_file.rows(files(run)[0]) if "train/loss" in row] == given_so_far


def test_wandb_is_told_nothing_of_the_machine(run: RunFolder, log: Log, tmp_path: Path) -> None:
    import getpass
    import socket

    given(log, "demo", "--to", "wandb")
    (file,) = files(run)
    kinds = {record.WhichOneof("record_type") for record in wandb_file.records(file)}
    assert not {"output_raw", "stats", "environment"} & kinds and "history" in kinds
    told = wandb_file.run(file)
    assert not told.HasField("git") and told.host in ("", "-") and told.settings.ByteSize() == 0
    config = {item.key: json.loads(item.value_json) for item in told.config.update}
    assert config["optimizer.lr"] == recipe.load("quickstart").optimizer.lr and config["versions"] == {"torch": "9.8.7"}
    data = file.read_bytes()
    names = [str(tmp_path), "0123456789abcdef", f'"{getpass.getuser()}"', f'"{socket.gethostname()}"']
    assert [name for name in names if name.encode() in data] == []


def test_wandb_with_a_key_but_no_network(run: RunFolder, log: Log) -> None:
    hint = given(log, "demo", "--to", "wandb", WANDB_API_KEY="0" * 40, WANDB_BASE_URL="http://127.0.0.1:9")
    assert "wandb sync" in hint
    assert [row["step"] for row in wandb_file.rows(files(run)[-1]) if "train/loss" in row] == [*range(10, 261, 10)]


def forget(run: RunFolder) -> None:
    """As after a kill between the tool and the note of what it has."""
    (note,) = (run.path / "trackers").glob("*.json")
    note.write_text(json.dumps(json.loads(note.read_text()) | {"seq": 20, "ended": ""}))


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.mark.usefixtures("quiet")
def test_mlflow_beside_the_runs(run: RunFolder, log: Log, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    address = f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}"
    assert given(log, "demo", "--to", "mlflow") == f"look at it with: mlflow ui --backend-store-uri {address}"
    client = MlflowClient(address)
    experiment = client.get_experiment_by_name("tui-trainer").experiment_id
    (found,) = client.search_runs([experiment])
    assert (found.info.status, found.info.run_name) == ("KILLED", "demo")
    forget(run)
    made.say(run, again())
    given(log, "demo", "--to", "mlflow")
    (found,) = client.search_runs([experiment])
    assert (found.info.status, found.data.tags["status"]) == ("FINISHED", "finished")
    assert found.data.params["optimizer.lr"] == str(recipe.load("quickstart").optimizer.lr)
    assert found.data.metrics["val/loss"] == made.validation(3).metrics["val.loss"]
    assert str(found.data.metrics["train/odd"]) == "nan" and found.data.metrics["train/endless"] > 1e300
    history = client.get_metric_history(found.info.run_id, "train/loss")
    assert sorted(item.step for item in history) == sorted([*range(10, 261, 10), *range(FROM + 10, 301, 10)])
    assert "to step 200" in found.data.tags["rewound"]
    assert history[0].timestamp == pytest.approx(made.NOW * 1000, abs=3_600_000)
    artifacts = [file.path for file in client.list_artifacts(found.info.run_id, "images")]
    assert {path.partition("+step+")[2].partition("+")[0] for path in artifacts} == {"100", "200", "300"}
    assert "[optimizer]" in Path(client.download_artifacts(found.info.run_id, "recipe.toml")).read_text()


@pytest.mark.usefixtures("quiet")
def test_mlflow_has_one_run_although_it_failed(run: RunFolder, log: Log, tmp_path: Path) -> None:
    """Here where it cannot take the recipe."""
    from mlflow import MlflowClient

    artifacts = tmp_path / "runs" / "mlflow-artifacts"
    artifacts.touch()
    assert "mlflow failed" in log("demo", "--to", "mlflow").stderr
    artifacts.unlink()
    given(log, "demo", "--to", "mlflow")
    client = MlflowClient(f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}")
    (found,) = client.search_runs([client.get_experiment_by_name("tui-trainer").experiment_id])
    assert found.data.params["optimizer.lr"] and found.data.metrics["val/loss"]
    assert "[optimizer]" in Path(client.download_artifacts(found.info.run_id, "recipe.toml")).read_text()


def rows(tmp_path: Path, project: str) -> list[dict[str, Any]]:
    found = sqlite3.connect(tmp_path / "trackio" / f"{project}.db").execute(
        "select run_name, step, timestamp, metrics from metrics order by id"
    )
    return [{"run": name, "step": step, "time": time, **json.loads(values)} for name, step, time, values in found]


def test_trackio(run: RunFolder, log: Log, tmp_path: Path) -> None:
    assert given(log, "demo", "--to", "trackio:mine") == "look at it with: trackio show --project mine"
    made.say(run, again())
    given(log, "demo", "--to", "trackio:mine")
    found = rows(tmp_path, "mine")
    steps = [row["step"] for row in found if "train/loss" in row]
    assert steps == [*range(10, 261, 10), *range(FROM + 10, 301, 10)]
    assert {row["run"] for row in found} == {"demo"} and found[0]["time"].startswith("2025-06-15T")
    assert [row["step"] for row in found if row.get("rewinds") and "val/loss" in row] == [300]
    table = [row["val/confusion"] for row in found if "val/confusion" in row][-1]
    assert table["_type"] == "trackio.table" and table["_value"][0]["true class"] == "airplane"
    assert table["_value"][0]["airplane"] == made.validation(3).confusion[0][0]
    forget(run)
    given(log, "demo", "--to", "trackio:mine")
    assert len(rows(tmp_path, "mine")) == len(found)


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("wandb:a/b/c", "expected a project, or ENTITY/PROJECT"), ("trackio:../x", "expected a project of at most 64 letters"),
        ("mlflow:nowhere/x.db", "expected an address, as in http://localhost:5000, or a file in a folder that is there"),
        ("tensorboard:runs", "not a folder, where TensorBoard's files were to go"),
    ],
)  # fmt: skip
def test_places_that_cannot_be(run: RunFolder, log: Log, to: str, words: str) -> None:
    if to == "tensorboard:runs":
        shutil.move(run.path, run.path.with_name("other"))
        run.path.symlink_to(run.path.with_name("other"))
    assert words in one_line(log("demo", "--to", to))


def test_what_does_not_answer_is_one_line(run: RunFolder, log: Log) -> None:
    quick = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
    line = log("demo", "--to", "mlflow:http://127.0.0.1:9", **quick).stderr.splitlines()[-1]
    assert line.startswith("tui-trainer: mlflow failed: ") and "tui-trainer log" in line


def check(names: Sequence[str]) -> None:
    """None of the heavy libraries is loaded by a follower."""
    program = (
        "import sys; from tui_trainer.trackers import kinds, tracker; [tracker(kind) for kind in kinds()];"
        f"print([name for name in {tuple(names)!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_to_look_at_the_trackers_loads_none_of_their_libraries() -> None:
    check(["torch", "tensorboard", "wandb", "mlflow", "trackio", "numpy", "PIL"])


def test_tensorboard_needs_no_torch(run: RunFolder, log: Log, tmp_path: Path) -> None:
    (tmp_path / "none" / "torch").mkdir(parents=True)
    (tmp_path / "none" / "torch" / "__init__.py").write_text("raise SystemExit('torch was loaded')")
    path = os.pathsep.join([str(tmp_path / "none"), *filter(None, sys.path)])
    given(log, "demo", "--to", "tensorboard", PYTHONPATH=path)


def test_a_real_training_and_its_resume(tmp_path: Path, log: Log) -> None:
    """All of it is there when a tied command returns, and only once after a resume."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    where = ("--log", "tensorboard:board", "--log", "trackio")
    env = {**os.environ, "CI": "1", "TRACKIO_DIR": str(tmp_path / "trackio")}
    for command in (("train", "quickstart", "--epochs", "2", *SMALL, "--name", "real"), ("resume", "real", "--epochs", "3")):
        subprocess.run([*COMMAND, *command, *where], cwd=tmp_path, env=env, check=True, capture_output=True, timeout=200)
        read = EventAccumulator(str(tmp_path / "board" / "real")).Reload()
        epochs = int(command[command.index("--epochs") + 1])
        assert [item.step for item in read.Scalars("train/loss")] == [*range(1, epochs + 1)]
    assert [item.step for item in read.Scalars("val/accuracy")] == [1, 2, 3]
    assert [item.step for item in read.Scalars("test/accuracy")] == [2, 3]
    assert [row["step"] for row in rows(tmp_path, "tui-trainer") if "train/loss" in row] == [1, 2, 3]
    assert read.Images("val/confusion")[-1].step == 3

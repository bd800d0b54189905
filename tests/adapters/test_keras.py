from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.harness import check, steer, training

pytestmark = [pytest.mark.others, pytest.mark.timeout(500)]

PROGRAM = """
import os, time
os.environ["KERAS_BACKEND"] = "torch"
import keras, numpy
from tui_trainer.adapters.keras import ConsoleCallback

class Slow(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        time.sleep(PAUSE)

model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer=keras.optimizers.SGD(RATE), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
x, y = numpy.random.rand(64, 4), numpy.random.randint(0, 3, 64)
model.fit(x, y, batch_size=4, epochs=EPOCHS, validation_data=(x, y), verbose=0, callbacks=[Slow(), ConsoleCallback("seen")])
"""


def program(epochs: int, pause: float, rate: str = "0.01") -> str:
    return PROGRAM.replace("EPOCHS", str(epochs)).replace("PAUSE", str(pause)).replace("RATE", rate)


def test_paused_saved_and_stopped_from_outside(tmp_path: Path) -> None:
    with training(program(100_000, 0.02), tmp_path) as seen:
        steer(seen)
        state = seen.end()
    check(seen, state)
    assert state.steps_per_epoch == 16 and state.model == "Sequential" and state.parameters == 15
    for saved in state.checkpoints:
        assert (seen.run.checkpoints / saved.checkpoint / "model.keras").stat().st_size > 0


def test_a_whole_training(tmp_path: Path) -> None:
    with training(program(2, 0.0), tmp_path) as seen:
        state = seen.end()
    assert (state.status, state.step, [row.epoch for row in state.rows]) == ("finished", 32, [1, 2])
    assert 0 <= state.rows[-1].metrics["val.accuracy"] <= 1 and state.rows[-1].metrics["val.loss"] > 0


def test_a_rate_of_a_schedule_is_its_own_affair(tmp_path: Path) -> None:
    rate = "keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)"
    with training(program(100_000, 0.02, rate), tmp_path) as seen:
        seen.wait_for(lambda state: state.step > 2)
        with pytest.raises(AssertionError, match="does not ask for its learning rate"):
            seen.tell("tell", "learning-rate=0.5")
        seen.tell("stop")
        assert seen.end().status == "stopped"

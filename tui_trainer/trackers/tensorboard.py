"""TensorBoard's event files, by TensorBoard's own writer, which needs neither torch nor TensorFlow."""

from __future__ import annotations

import math
import shlex
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from core.errors import UserError
from core.files import make_folder
from core.run.folder import RunFolder
from tui_trainer.escape import file_name
from tui_trainer.trackers import _matrix as matrix
from tui_trainer.trackers._base import About, Confusion, Ending, Point, Tracker

LARGEST = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
"""Of the numbers that its scalars can be."""
QUEUE = 1000
"""Events between this process's threads."""


class TensorBoard(Tracker):
    """Each beginning writes another file. A restart is told as its readers want it, by a START at a step: what was told of
    that step and later ones is dropped."""

    LIBRARY: ClassVar[str] = "tensorboard"
    PLACE: ClassVar[str] = "FOLDER"
    REPLACES: ClassVar[bool] = True

    def __init__(self, about: About, place: str) -> None:
        from tensorboard.compat.proto import event_pb2, summary_pb2

        super().__init__(about, place)
        self._events, self._summaries = event_pb2, summary_pb2
        self._writer: Any = None

    @classmethod
    def resolved(cls, run: RunFolder, place: str) -> str:
        """``tensorboard`` in the run folder, or a folder of the run's name in the one that was given: what TensorBoard calls a
        run is a folder."""
        folder = Path(place) / file_name(run.name) if place else run.path / "tensorboard"
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise UserError(f"{folder}: not a folder, where TensorBoard's files were to go; remove it, or name another one")
        return str(folder.absolute())

    @property
    def hint(self) -> str:
        return f"tensorboard --logdir {shlex.quote(self.place)}"

    def begin(self, known: str, step: int) -> str:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        make_folder(Path(self.place))
        self._writer = EventFileWriter(self.place, QUEUE, flush_secs=30)
        self._start(step if known else 0, time.time())
        return Path(self.place).name

    def scalars(self, points: Sequence[Point]) -> None:
        value = self._summaries.Summary.Value
        for point in points:
            values = [value(tag=name, simple_value=_single(number)) for name, number in point.values.items()]
            self._add(point.step, point.time, *values)

    def confusion(self, found: Confusion) -> None:
        image = matrix.picture(found)
        encoded = self._summaries.Summary.Image(
            width=image.width, height=image.height, colorspace=3, encoded_image_string=matrix.encoded(image)
        )
        self._add(found.step, found.time, self._summaries.Summary.Value(tag=found.name, image=encoded))

    def taken_back(self, step: int, time: float) -> None:
        self._start(step + 1, time)

    def ended(self, ending: Ending) -> None:
        value = self._summaries.Summary.Value
        values = [value(tag=name, simple_value=_single(number)) for name, number in ending.best.items()]
        self._add(ending.step, ending.time, *values)
        if ending.good:  # readers keep the first that they are told, and any other may yet be gone on with
            self._succeeded(ending.time)

    def _succeeded(self, moment: float) -> None:
        """The status in the tab HPARAMS, whose metrics are the latest scalars."""
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=moment)
        data = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_end_info=end))
        self._add(0, moment, self._tensor(metadata.SESSION_END_INFO_TAG, data, metadata.NULL_TENSOR))

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        if self._writer is not None:
            with suppress(OSError):  # whatever was not flushed is told again
                self._writer.close()

    def _start(self, step: int, moment: float) -> None:
        log = self._events.SessionLog(status=self._events.SessionLog.START)
        self._writer.add_event(self._events.Event(wall_time=moment, step=step, session_log=log))

    def describe(self) -> None:
        """At step 0."""
        from tensorboard.plugins.hparams import summary_v2

        start = summary_v2.hparams_pb(self.about.settings, trial_id=self.about.name, start_time_secs=self.about.created)
        self._add(0, self.about.created, *start.value)
        for name, text in (("recipe", self.about.recipe), ("versions", _lines(self.about.versions))):
            if text:
                self._add(0, self.about.created, self._text(name, text))

    def _text(self, name: str, text: str) -> Any:
        """As Markdown has code: by an indent, which no line of the text can end."""
        from tensorboard.compat.proto import tensor_pb2, tensor_shape_pb2
        from tensorboard.plugins.text import metadata

        code = "\n".join(f"    {line}" for line in text.splitlines())
        shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])
        tensor = tensor_pb2.TensorProto(dtype="DT_STRING", string_val=[code.encode()], tensor_shape=shape)
        described = metadata.create_summary_metadata(display_name=name, description="")
        return self._tensor(f"{name}/text_summary", described, tensor)

    def _tensor(self, tag: str, metadata: Any, tensor: Any) -> Any:
        return self._summaries.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)

    def _add(self, step: int, moment: float, *values: Any) -> None:
        if values:
            summary = self._summaries.Summary(value=values)
            self._writer.add_event(self._events.Event(wall_time=moment, step=step, summary=summary))


def _single(number: float) -> float:
    """What a float of 32 bits can hold."""
    return number if not math.isfinite(number) else min(max(number, -LARGEST), LARGEST)


def _lines(table: dict[str, str]) -> str:
    return "\n".join(f"{name} {value}" for name, value in table.items())

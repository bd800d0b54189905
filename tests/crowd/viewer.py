"""One of many that look at a run: ``viewer.py RUN``. Prints a line when it sees the run live, and one when it sees it ended:
the status and the last step."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from core.run.folder import RunFolder
from tui_trainer.feed import Feed


def main() -> None:
    feed = Feed(RunFolder(Path(sys.argv[1])))
    feed.start()
    while not (feed.looked and feed.state.step):
        time.sleep(0.1)
    say(feed.state.status)
    while not feed.state.ended:
        time.sleep(0.1)
    say(f"{feed.state.status} {feed.state.step}")


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

"""``python -m tests.fuzz --inputs 120000 --seed 0``: mutated inputs, shared among the targets, and what came of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.fuzzing import fuzz, table
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--inputs", type=int, default=120_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = [fuzz(name, given.inputs // len(TARGETS), given.seed, Path(folder)) for name in TARGETS]
    finds = [find for result in results for find in result.finds]
    print(table(results), *finds[:20], sep="\n")  # noqa: T201 - the program's output
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())

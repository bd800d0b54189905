"""A run whose training is a program's own: the same folder, journal and inbox as a worker's, kept by the program itself."""

from __future__ import annotations

from core.run.own.run import Run

__all__ = ["Run"]

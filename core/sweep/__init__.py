"""Sweeps: many runs of one recipe, each with other values of some of its keys, in search of the best on held-out images.

A sweep is a folder beside its runs; each of its trials is a run like any other, trained by a worker of its own. Optuna proposes
the values; it is loaded by :mod:`core.sweep.study` alone, and only when a sweep goes on.
"""

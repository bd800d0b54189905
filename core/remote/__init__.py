"""A run on another machine, looked at and steered over SSH: the far side streams it (:mod:`core.remote.streaming`), and here a
process keeps a temporary run folder equal to it (:mod:`core.remote.process`), which every screen reads like any other run.
Nothing listens on a port, and who may is what SSH says."""

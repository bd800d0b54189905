"""What holds for all tests."""

import os
import signal

# Two tests run at a time, with processes of their own, on few cores: threads that wait by spinning take those from the others,
# and so does each process that compiles the sources again.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.pop("GITHUB_STEP_SUMMARY", None)  # of the job that runs the tests

# What a shell starts in the background ignores interrupts, below nohup hangups too, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

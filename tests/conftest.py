"""What holds for all tests."""

import os
import signal

# Two tests run at a time, with processes of their own, on few cores: threads that wait by spinning take those from the others,
# and so does each process that compiles the sources again.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what is to run in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)

"""What holds for all tests."""

import os

# Two tests run at a time, with processes of their own, on few cores: threads that wait by spinning take those from the others,
# and so does each process that compiles the sources again.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

"""Trainings that wait for a device: each is an ordinary run once it begins, and the queue is a file of the runs folder.

``entries.py`` is a queue as a value; ``folder.py`` where it lies; ``changing.py`` what people do with it; ``runner.py`` the
process that begins its runs, which are trained by workers of their own and outlive it."""

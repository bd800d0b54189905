"""What is on the images of CIFAR-10. Here, since whoever only counts the classes need not load numpy."""

from __future__ import annotations

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

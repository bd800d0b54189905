"""What is on the images of CIFAR-10, and on what terms. Here, since whoever only counts the classes need not load numpy."""

from __future__ import annotations

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TERMS = (
    "CIFAR-10 was collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton as labelled subsets of the 80 Million Tiny "
    "Images. Its authors ask for a citation (Alex Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009) "
    "and state no licence."
)
"""Of CIFAR-10, see NOTICE.md in the folder of the sample."""

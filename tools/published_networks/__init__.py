"""Networks by their published architecture, a module for each kind of task."""

from collections.abc import Iterator

from published_networks import detection, features, multitask, points, restoration, segmentation, yolo
from published_networks.layers import Job


def jobs() -> Iterator[Job]:
    """Every network there is."""
    for kind in (detection, features, multitask, points, restoration, segmentation, yolo):
        yield from kind.jobs()

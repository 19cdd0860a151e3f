"""Summaries of vision networks by name and image size, from the tables their zoos publish."""

import csv
from collections.abc import Mapping
from functools import cached_property

from planner.catalogue.profiles import PACKAGE
from planner.schema.quantity import Figure
from planner.schema.workload import Network


class NetworkTable:
    """timm's table, read when first asked for."""

    @cached_property
    def rows(self) -> Mapping[str, Mapping[str, tuple[float, float, float]]]:
        """name -> image side -> parameters, multiply-accumulates, activation elements."""
        found: dict[str, dict[str, tuple[float, float, float]]] = {}
        with (PACKAGE / "data" / "networks" / "timm.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                numbers = (float(row["params_m"]) * 1e6, float(row["gmacs"]) * 1e9, float(row["mactivations"]) * 1e6)
                found.setdefault(row["workload"], {})[row["image_size"]] = numbers
        return found

    def find(self, name: str, image: str, params_m: float) -> Network | None:
        """By name and image size; at another size scaled by the area; by another name of the same parameter count.

        The zoo publishes one network under many names (other weights, other origins): equal parameters at an equal
        image size are taken to be the same network.
        """
        if "/" not in name:
            return None
        sizes = self.rows.get(name)
        if sizes is None and params_m > 0:
            twins = [row[image] for row in self.rows.values() if image in row and abs(row[image][0] / 1e6 - params_m) < 0.006]
            return _network(*sorted(twins)[len(twins) // 2]) if twins else None
        if not sizes:
            return None
        if image in sizes:
            return _network(*sizes[image])
        side, (parameters, macs, activations) = next(iter(sizes.items()))
        if not image.isdigit():
            return None
        area = (float(image) / float(side)) ** 2
        return _network(parameters, macs * area, activations * area)


def _network(parameters: float, macs: float, activations: float) -> Network:
    source = "huggingface/pytorch-image-models results"
    return Network(Figure(parameters, source), Figure(macs, source), Figure(activations, source))

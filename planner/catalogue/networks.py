"""Networks by name and image size: the summaries their zoos publish, and the sums of their graphs."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import log, sqrt
from pathlib import Path

from planner.schema.quantity import Figure
from planner.schema.workload import Network, Sums

FOLDER = Path(__file__).parents[1] / "data" / "networks"
FIELDS = tuple(f.name for f in fields(Sums))
CHANNELS = 3.0
SQUARED = ("attention", "scores")
"""What grows with the square of the number of places; the rest of what a graph does to places grows with their number."""
FIXED = ("weights", "layers", "kernels")
FAR = 16.0
"""Images whose areas differ by more are not of one kind: a relative's graph is then only widened."""
SAME = 0.05
"""Parameters that differ by more, as a logarithm, are another network's that goes by the same name."""
COUNTS = ("layers", "kernels")
MACS = ("dense", "pointwise", "grouped", "depthwise", "attention")


@dataclass(frozen=True)
class Counted:
    """A line of the table of graphs."""

    name: str
    area: float
    parameters: float
    graph: Sums


@dataclass(frozen=True)
class Alias:
    """What a name that the pattern fits is: ``like`` itself (exact) or of its family, or that with batch normalisation."""

    pattern: re.Pattern[str]
    like: str
    exact: bool = False
    batchnorm: bool = False


@dataclass(frozen=True)
class Results:
    """What a host goes over of what a network gives, where its own graph does not say: elements for each place of the image
    (``per`` place), or of a run whatever the image."""

    pattern: re.Pattern[str]
    elements: float
    exponentials: float
    per: str

    def of(self, places: float) -> dict[str, float]:
        """Elements and exponentials of one run, as Sums name them."""
        times = places if self.per == "place" else 1.0
        return {"outputs": self.elements * times, "exponentials": self.exponentials * times}


class NetworkTable:
    """The tables of ``planner/data/networks``, read when first asked for."""

    @cached_property
    def rows(self) -> Mapping[str, Mapping[str, tuple[float, float, float]]]:
        """name -> image side -> parameters, multiply-accumulates, activation elements, as timm publishes them."""
        found: dict[str, dict[str, tuple[float, float, float]]] = {}
        with (FOLDER / "timm.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                numbers = (float(row["params_m"]) * 1e6, float(row["gmacs"]) * 1e9, float(row["mactivations"]) * 1e6)
                found.setdefault(row["workload"], {})[row["image_size"]] = numbers
        return found

    @cached_property
    def graphs(self) -> Mapping[str, list[Counted]]:
        """name -> its graph's sums at the image sizes that were counted."""
        found: dict[str, list[Counted]] = {}
        with (FOLDER / "graphs.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                sums = {name: float(row[name]) * (1.0 if name in COUNTS else 1e6) for name in FIELDS if name in row}
                sums["inputs"] = CHANNELS * area(row["image_size"])
                counted = Counted(row["workload"], area(row["image_size"]), float(row["parameters"]) * 1e6, Sums(**sums))
                found.setdefault(counted.name, []).append(counted)
        return found

    @cached_property
    def aliases(self) -> list["Alias"]:
        """What names of other zoos mean; the first that fits."""
        with (FOLDER / "aliases.csv").open(newline="") as file:
            return [
                Alias(re.compile(r["pattern"]), r["workload"], r["exact"] == "yes", r["norm"] == "batch")
                for r in csv.DictReader(file)
            ]

    @cached_property
    def results(self) -> list[Results]:
        """Results of networks by name; the first pattern that fits."""
        with (FOLDER / "results.csv").open(newline="") as file:
            return [
                Results(re.compile(r["pattern"]), float(r["elements"]), float(r["exponentials"]), r["per"])
                for r in csv.DictReader(file)
            ]

    @cached_property
    def families(self) -> Mapping[str, list[Counted]]:
        """First letters of a name -> the networks that have them."""
        found: dict[str, list[Counted]] = {}
        for name, sizes in self.graphs.items():
            found.setdefault(family_of(name), []).extend(sizes)
        return found

    def find(self, name: str, image: str, params_m: float) -> Network | None:
        """By name and image size; at another size scaled by the area; by another name of the same parameter count.

        The zoo publishes one network under many names (other weights, other origins): equal parameters at an equal
        image size are taken to be the same network. One that only the table of graphs has gets its summary from there.
        """
        found = self._found(name, image, params_m) if "/" in name else None
        return self.described(name, image, found) if found else None

    def _found(self, name: str, image: str, params_m: float) -> Network | None:
        sizes = self.rows.get(name)
        if sizes and image in sizes:
            return _network(*sizes[image])
        if sizes and image.isdigit():
            side, (parameters, macs, activations) = next(iter(sizes.items()))
            scale = (float(image) / float(side)) ** 2
            return _network(parameters, macs * scale, activations * scale)
        if not sizes and self._is(name, params_m * 1e6) and area(image):
            return _summary(_nearest_size(self.graphs[name], area(image)), area(image))
        if sizes is None and params_m > 0:
            twins = [row[image] for row in self.rows.values() if image in row and abs(row[image][0] / 1e6 - params_m) < 0.006]
            return _network(*sorted(twins)[len(twins) // 2]) if twins else None
        return None

    def described(self, name: str, image: str, network: Network) -> Network:
        """The network with its graph: its own, that of the network it is an alias of, or one of its family.

        An own graph is taken at the image's area as it was counted. Of a relative, the graph is widened until it has the
        network's multiply-accumulates and parameters. Nothing is taken from a name but what it is like.
        """
        if network.sums is not None:
            return network
        graph = self._graph(name, image, network)
        given = next((r for r in self.results if r.pattern.search(name)), None)
        return replace(network, sums=replace(graph, **given.of(graph.inputs / CHANNELS)) if given else graph)

    def _graph(self, name: str, image: str, network: Network) -> Sums:
        alias = self._like(network.like or name, network.parameters.value)
        own = self.graphs.get(alias.like, []) if alias.exact or alias.like != name else []
        choices = own or self.families.get(family_of(alias.like)) or [c for cs in self.graphs.values() for c in cs]
        wanted = area(image or network.input)
        counted = _nearest_size(choices, wanted) if own and wanted else _nearest_work(choices, network)
        scale = wanted / counted.area if wanted else 1.0
        graph = _resized(counted.graph, scale if alias.exact or 1 / FAR <= scale <= FAR else 1.0)
        graph = replace(graph, norm=0.0, batchnorm=graph.norm) if alias.batchnorm else graph
        if alias.exact and own:
            return graph
        graph = replace(graph, inputs=CHANNELS * wanted) if wanted else graph
        weights = network.parameters.value / counted.parameters
        return _widened(graph, network.macs.value / max(graph.macs, 1.0), weights)

    def _is(self, name: str, parameters: float) -> bool:
        """Whether the network that was counted under a name has so many parameters, where anybody says how many."""
        return any(not parameters or abs(log(c.parameters / parameters)) < SAME for c in self.graphs.get(name, ())[:1])

    def _like(self, name: str, parameters: float) -> Alias:
        if self._is(name, parameters):
            return Alias(re.compile(""), name, exact=True)
        found = ((alias.pattern.search(name), alias) for alias in self.aliases)
        known = next(((m, alias) for m, alias in found if m), None)
        return replace(known[1], like=known[0].expand(known[1].like)) if known else Alias(re.compile(""), name)


def area(image: str) -> float:
    """Places of an image ("224", "512x1024", "640x640x3"), 0 where the text names none."""
    sides = [float(part) for part in re.findall(r"\d+", image)[:2]]
    return sides[0] * sides[-1] if sides else 0.0


def family_of(name: str) -> str:
    """The first letters of a network's name behind its zoo, without the origin of its weights."""
    plain = re.sub(r"^(tf|ese|gluon|legacy|ssl|swsl|ig|pt|tf2)_", "", name.rsplit("/", 1)[-1].lower())
    return re.match("[a-z]*", plain).group()  # type: ignore[union-attr]


def _nearest_size(choices: list[Counted], wanted: float) -> Counted:
    return min(choices, key=lambda c: abs(log(c.area / wanted)))


def _nearest_work(choices: list[Counted], network: Network) -> Counted:
    """The one whose work and parameters are nearest, by their logarithms."""

    def apart(c: Counted) -> float:
        work = abs(log(max(c.graph.macs, 1.0) / network.macs.value))
        return work + abs(log(c.parameters / network.parameters.value)) if network.parameters.value else work

    return min(choices, key=apart)


def _resized(graph: Sums, scale: float) -> Sums:
    power = {name: 0 if name in FIXED else 2 if name in SQUARED else 1 for name in FIELDS}
    return Sums(**{name: getattr(graph, name) * scale ** power[name] for name in FIELDS})


def _widened(graph: Sums, work: float, weights: float) -> Sums:
    """With ``work`` times the multiply-accumulates: channels, and with them elements, grow by its root."""
    factor = {name: sqrt(work) for name in FIELDS} | dict.fromkeys((*MACS, "loose", "multiplied"), work)
    factor |= {"weights": weights or work, "inputs": 1.0, "outputs": 1.0, "exponentials": 1.0, "layers": 1.0, "kernels": 1.0}
    return Sums(**{name: getattr(graph, name) * factor[name] for name in FIELDS})


def _summary(counted: Counted, wanted: float) -> Network:
    source = "planner/data/networks/graphs.csv"
    graph = _resized(counted.graph, wanted / counted.area)
    return Network(Figure(counted.parameters, source), Figure(graph.macs, source), Figure(graph.moved / 2, source))


def _network(parameters: float, macs: float, activations: float) -> Network:
    source = "huggingface/pytorch-image-models results"
    return Network(Figure(parameters, source), Figure(macs, source), Figure(activations, source))

"""One replica of a serving engine, event by event: continuous batching with chunked prefill, and a cache that can fill.

Every step gives each running request a token and spends what is left of its token budget on prompts, first come, first
served; its time is that of the decode step and of those pieces, from tables of the laws that estimate serving elsewhere.
Between events (an arrival, an end) steps differ by nothing but their context, and are taken together.
"""

import heapq
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.model.columns import Array
from planner.model.queueing import FULL, Traffic, Waits, waits


@dataclass(frozen=True)
class Engine:
    """What a replica can do. decode: seconds by (batches, contexts); prefill: seconds by (pieces, pasts) [tokens]."""

    batches: Array
    contexts: Array
    decode: Array
    pieces: Array
    pasts: Array
    prefill: Array
    max_batch: int
    budget: int
    """Tokens a step may take, of prompts and running requests together."""
    cache: float
    """Tokens whose keys and values fit; a request is admitted when all it may need is free."""


@dataclass(frozen=True)
class Requests:
    """Arrival times [s], ascending, and tokens in and out of each request (N,)."""

    arrival: Array
    input: Array
    output: Array


@dataclass(frozen=True)
class Served:
    """First-token time, time per further token and whole time of each request (N,) [s]; when the last one ended, and steps."""

    ttft: Array
    tpot: Array
    e2e: Array
    end: float
    steps: int
    busy: float
    """Seconds in which any request was in the engine."""


def simulate(engine: Engine, requests: Requests, clients: int = 0, tick: Callable[[int, int], None] | None = None) -> Served:
    """Serve ``requests``. ``clients`` above 0 sends them in a closed loop instead: each client its next when one ends."""
    replica = _Replica(engine, requests, clients)
    n = len(requests.arrival)
    while replica.done < n:
        replica.turn()
        if tick and replica.done & 1023 == 0:
            tick(replica.done, n)
    ttft, end, start = np.array(replica.ttft), np.array(replica.end), np.array(replica.arrivals)
    tpot = np.where(requests.output > 1, (end - start - ttft) / np.maximum(requests.output - 1, 1), np.nan)
    return Served(ttft, tpot, end - start, replica.now, replica.step, replica.busy)


class _Replica:
    """The state between steps. Lists and floats, not arrays: it is looked at a few times an event, never as a whole."""

    def __init__(self, engine: Engine, requests: Requests, clients: int) -> None:
        n = len(requests.arrival)
        self.engine = engine
        self.inputs, self.outputs = requests.input.astype(int).tolist(), requests.output.astype(int).tolist()
        self.sent = min(clients, n) if clients else n
        self.arrivals = [0.0] * self.sent + [np.inf] * (n - self.sent) if clients else requests.arrival.tolist()
        self.decode = _bilinear(engine.batches, engine.contexts, engine.decode)
        self.prefill = _bilinear(engine.pieces, engine.pasts, engine.prefill)
        self.ttft, self.end = [0.0] * n, [0.0] * n
        self.waiting: deque[int] = deque()
        self.running: list[tuple[int, int]] = []
        """A heap of (the step after which it ends, request)."""
        self.prompt, self.past = -1, 0
        """The prompt under way, or -1, and how many of its tokens are done."""
        self.now, self.busy, self.step, self.came, self.done = 0.0, 0.0, 0, 0, 0
        self.held = 0
        """Tokens of the cache that are promised."""
        self.offset = 0
        """Sum over running requests of context less ``step``: it stays as it is while they decode."""

    def turn(self) -> None:
        """One step, or as many as differ by nothing but their context; or the wait for the next arrival."""
        while self.came < len(self.arrivals) and self.arrivals[self.came] <= self.now:
            self.waiting.append(self.came)
            self.came += 1
        if not self.running and not self.waiting and self.prompt < 0:
            self.now = self.arrivals[self.came]
            return
        count = len(self.running)
        spent, begun = self._prompts(count)
        together = self._alike(count) if count and not begun and self.prompt < 0 and not self.waiting else 1
        each = self.decode(count, self.offset / count + self.step + together / 2) if count else 0.0
        taken = together * each + spent
        self.now += taken
        self.busy += taken
        self.step += together
        self._end(begun)

    def _prompts(self, count: int) -> tuple[float, list[int]]:
        """Spend what the running requests leave of the step's tokens on prompts: seconds, and those whose prompt is done."""
        spent, left, begun = 0.0, self.engine.budget - count, list[int]()
        while left > 0 and (self.prompt >= 0 or self.waiting):
            if self.prompt < 0:
                i = self.waiting[0]
                need = self.inputs[i] + self.outputs[i]
                if count + len(begun) >= self.engine.max_batch or (self.held and self.held + need > self.engine.cache):
                    break
                self.prompt, self.past = self.waiting.popleft(), 0
                self.held += need
            piece = min(left, self.inputs[self.prompt] - self.past)
            spent += self.prefill(piece, self.past)
            self.past, left = self.past + piece, left - piece
            if self.past >= self.inputs[self.prompt]:
                begun.append(self.prompt)
                self.prompt = -1
        return spent, begun

    def _alike(self, count: int) -> int:
        """Steps of nothing but decoding until a request ends or the next one comes."""
        steps = self.running[0][0] - self.step
        if self.came < len(self.arrivals) and self.arrivals[self.came] < np.inf:
            each = self.decode(count, self.offset / count + self.step)
            steps = min(steps, int((self.arrivals[self.came] - self.now) / each) + 1)
        return max(1, steps)

    def _end(self, begun: list[int]) -> None:
        """Book the first tokens of ``begun`` and the ends of what is done; a client whose request ended sends its next."""
        ended = []
        while self.running and self.running[0][0] <= self.step:
            last, i = heapq.heappop(self.running)
            self.offset -= self.inputs[i] + self.outputs[i] - last
            ended.append(i)
        for i in begun:
            self.ttft[i] = self.now - self.arrivals[i]
            if self.outputs[i] <= 1:
                ended.append(i)
            else:
                heapq.heappush(self.running, (self.step + self.outputs[i] - 1, i))
                self.offset += self.inputs[i] + 1 - self.step
        for i in ended:
            self.end[i] = self.now
            self.held -= self.inputs[i] + self.outputs[i]
            if self.sent < len(self.arrivals):
                self.arrivals[self.sent] = self.now
                self.sent += 1
        self.done += len(ended)


def _bilinear(xs: Array, ys: Array, table: Array) -> Callable[[float, float], float]:
    """Interpolation of a table over ascending xs and ys, constant beyond them."""
    x, y, rows = xs.tolist(), ys.tolist(), table.tolist()

    def at(a: float, b: float) -> float:
        i = min(max(bisect_right(x, a) - 1, 0), len(x) - 2)
        j = min(max(bisect_right(y, b) - 1, 0), len(y) - 2)
        u = min(max((a - x[i]) / (x[i + 1] - x[i]), 0.0), 1.0)
        v = min(max((b - y[j]) / (y[j + 1] - y[j]), 0.0), 1.0)
        low = rows[i][j] * (1 - v) + rows[i][j + 1] * v
        high = rows[i + 1][j] * (1 - v) + rows[i + 1][j + 1] * v
        return float(low * (1 - u) + high * u)

    return at


@dataclass(frozen=True)
class Queue:
    """The queueing answer: TTFT and TPOT [s] by "mean" and quantile, requests decoding on average, and the load (1 is all
    the engine can do)."""

    ttft: dict[str, float]
    tpot: dict[str, float]
    running: float
    load: float


@dataclass(frozen=True)
class Steady:
    """Traffic that goes on as it is: requests a second, mean tokens in and out, and how they vary (``queueing.Traffic``)."""

    rate: float
    input: float
    output: float
    burstiness: float = 1.0
    input_cv: float = 0.0
    output_cv: float = 0.0


QUANTILES = (0.5, 0.9, 0.99)


def named(quantile: float) -> str:
    """``p90``."""
    return f"p{100 * quantile:g}"


def queue(engine: Engine, t: Steady) -> Queue:
    """What requests see under steady traffic: queueing.waits, at the number that decode.

    Little's law gives that number; a request sees itself beside the others (Poisson arrivals see averages). Departs from the
    simulation above about eight tenths of the load, where the cache or the batch fills, which no term is for.
    """
    decode, prefill = (
        _bilinear(engine.batches, engine.contexts, engine.decode),
        _bilinear(engine.pieces, engine.pasts, engine.prefill),
    )
    whole = max(1, int(np.ceil(t.input / engine.budget)))
    each = sum(prefill(min(engine.budget, t.input - k * engine.budget), k * engine.budget) for k in range(whole))
    context, further = t.input + t.output * (1 + t.output_cv**2) / 2, max(t.output - 1.0, 0.0)
    most = min(float(engine.max_batch), engine.cache / (t.input + t.output))

    def seen(n: float) -> Waits:
        step = decode(min(n + 1, most), context)
        slope = (decode(min(n + 2, most), context) - decode(max(n, 1.0), context)) / 2 * max(n, 1.0) / step
        crowd = slope / np.sqrt(max(n, 1.0)) / (1 - min(max(slope, 0.0), 0.9))
        prompt, one, pieces, steps, rate = (np.array([x]) for x in (each, step, t.input / engine.budget, further, t.rate))
        return waits(prompt, one, pieces, steps, Traffic(rate, t.burstiness, t.input_cv), crowd)

    def tpot(n: float) -> float:
        return float(seen(n).tpot[0])

    best = most / (max(further, 1.0) * decode(most, context) + most * each)  # requests a second of a full engine
    if t.rate * each >= FULL or t.rate * further * tpot(most) > most:
        names = ["mean", *map(named, QUANTILES)]
        return Queue(dict.fromkeys(names, np.inf), {"mean": tpot(most)}, most, max(1.0, t.rate / best))
    low, high = 0.0, most
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t.rate * further * tpot(middle) > middle else (low, middle)
    w = seen(high)
    ttft = {"mean": float(w.ttft[0]), **{named(q): float(w.ttft_at(q)[0]) for q in QUANTILES}}
    per_token = {"mean": float(w.tpot[0]), **{named(q): float(w.tpot_at(q)[0]) for q in QUANTILES}}
    return Queue(ttft, per_token, high, t.rate / best)

"""Rows of a translated table with everything about them as columns."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.operation import Machine
from planner.schema.claim import CAPTURED, DRAWN, FUSED, GUESSES, INFERENCEMAX, MAY_GUESS, QUEUED
from planner.schema.workload import Workload
from planner.search import estimate, networks
from planner.search.machines import Find, machine, weakest
from planner.validate.translate import Translated


class Rows:
    """Some rows of a table with everything about them as columns."""

    def __init__(self, translated: Translated, index: Array, find: Find) -> None:
        self.table = translated.table.iloc[index]
        self.subject = self.table["subject"].to_numpy()
        self._translated, self._index, self._find = translated, np.asarray(index), find
        settings = translated.settings
        table, self.found = machine(settings, find)
        self.setting = self.table["setting"].to_numpy()
        self.machine: Machine = table.take(self.setting)
        codes = np.array([estimate.PRECISIONS.index(s.precision) for s in settings])[self.setting]
        cache = np.array([s.quantised_cache for s in settings], bool)[self.setting]
        rows = Columns(fused=self.table["stack"].isin(FUSED).to_numpy(float), length=len(self.table))
        cheap = estimate.with_precision(rows, codes, quantised_cache=False)
        self.base = cheap.with_(kv=np.where(cache, estimate.with_precision(rows, codes).kv, cheap.kv))
        self.evidence = [weakest(self.found[i], *self._laws()) for i in self.setting]

    def _laws(self) -> tuple[str, ...]:
        first = self._translated.subjects[int(self.subject[0])] if len(self.subject) else None
        if first is None or first.architecture is not None:
            return ("matmul",)
        return networks.laws(first.operations) if first.operations else ("network",)

    def repeated(self, index: Array, **changed: Array) -> "Rows":
        """Rows by index, as often as they are named, with columns of the table replaced."""
        more = Rows(self._translated, self._index[index], self._find)
        more.table = more.table.assign(**changed)
        return more

    def number(self, name: str, default: float = np.nan) -> Array:
        """A numeric column with ``default`` where it is empty."""
        return self.table[name].fillna(default).to_numpy(float)

    def of(self, stacks: frozenset[str]) -> Array:
        """Whether each row's stack is one of these."""
        return self.table["stack"].isin(stacks).to_numpy()

    def architectures(self) -> tuple[Columns, Columns]:
        """Sizes and parameter counts of each row's transformer."""
        used, back = np.unique(self.subject, return_inverse=True)
        records = [self._translated.subjects[int(i)].architecture for i in used]
        a, size = estimate.architecture_table([r for r in records if r is not None])
        return a.take(back), size.take(back)

    def networks(self) -> Columns:
        """Summary and graph of each row's network."""
        used, back = np.unique(self.subject, return_inverse=True)
        records = [self._translated.subjects[int(i)].network for i in used]
        return estimate.network_table([r for r in records if r]).take(back)

    def by_operations(self) -> Iterator[tuple[Workload, Array]]:
        """Each workload that is known operation by operation, and which rows (n,) are about it."""
        for subject in np.unique(self.subject):
            workload = self._translated.subjects[int(subject)].operations
            if workload:
                yield workload, np.flatnonzero(self.subject == subject)

    def requests(self) -> tuple[Array, Array]:
        """Mean input and output tokens: the row's own, else the benchmark's."""
        subjects = [self._translated.subjects[int(i)] for i in self.subject]
        of = [(s.requests.input_tokens, s.requests.output_tokens) if s.requests else (np.nan, np.nan) for s in subjects]
        given = np.array(of).reshape(-1, 2)
        drawn = np.where(self.table["notes"].str.contains(INFERENCEMAX), DRAWN, 1.0)
        isl, osl = (drawn * self.number(name) for name in ("input_tokens", "output_tokens"))
        return np.where(np.isnan(isl), given[:, 0], isl), np.where(np.isnan(osl), given[:, 1], osl)

    def queued(self) -> Array:
        """How many requests the row's benchmark queues at once (N,), infinite where its source does not say."""
        known = [next((runs for name, runs in QUEUED.items() if name in ref), {}) for ref in self.table["ref"].astype(str)]
        lengths = zip(*self.requests(), strict=True)
        return np.array([runs.get(pair, np.inf) for runs, pair in zip(known, lengths, strict=True)], float)

    def captured(self) -> Array:
        """Whether the row's benchmark pads decode steps to captured CUDA graphs (N,)."""
        return self.table["ref"].astype(str).str.contains(CAPTURED).to_numpy(bool)

    def guesses(self) -> Array:
        """Tokens that a further layer of the model guesses ahead (N,), by what the row says of its software."""
        return np.where(self.table["guessed"], self._guesses(), 0.0)

    def may_guess(self) -> Array:
        """Those of runs whose description is that of a row (N,), where half of them guess and no row says which; else 0."""
        software, workload = (self.table[name].astype(str) for name in ("software", "workload"))
        return np.where(software.str.contains(MAY_GUESS) & (workload == "deepseek-r1"), self._guesses(), 0.0)

    def _guesses(self) -> Array:
        return np.where(self.number("attention_dp", 1.0) > 1, GUESSES[1], GUESSES[0])

    def limits(self, which: Literal["ttft", "tpot"]) -> Array:
        """Latency limit of each row's scenario [s], infinite where it has none."""
        subjects = [self._translated.subjects[int(i)] for i in self.subject]
        found = []
        for subject, scenario in zip(subjects, self.table["scenario"], strict=True):
            limits = subject.requests.limits.get(scenario, {}) if subject.requests else {}
            found.append(limits.get(which, np.inf))
        return np.array(found, float)


def best_of(row: Array, score: Array, n: int) -> Array:
    """For each of n rows the option with the highest score."""
    order = np.lexsort((-score, row))
    return order[np.searchsorted(row[order], np.arange(n))]

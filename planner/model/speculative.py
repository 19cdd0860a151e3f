"""Speculative decoding: a draft guesses tokens one after another, and the model checks all of them in one step.

Leviathan et al., "Fast Inference from Transformers via Speculative Decoding" (arXiv:2211.17192). The draft is a smaller model
with the same vocabulary, or one further layer of the model itself: multi-token prediction (DeepSeek-V3, arXiv:2412.19437,
section 2.2) and EAGLE (arXiv:2401.15077) are such layers. Outputs keep their distribution.
"""

from dataclasses import dataclass

import numpy as np

from planner.model.columns import Array, Columns
from planner.model.families import transformer
from planner.model.operation import Machine
from planner.model.passes import Pass, run


@dataclass(frozen=True)
class Draft:
    """The draft's architecture (N,), tokens it guesses a step (N,), and the share of guesses that hold, each alone (N,)."""

    architecture: Columns
    guesses: Array
    acceptance: Array

    @property
    def tokens(self) -> Array:
        """Tokens a step gives on average (N,): those before the first wrong guess, and the model's own after it (equation 1)."""
        alpha = np.minimum(self.acceptance, 1 - 1e-9)
        return np.asarray((1 - alpha ** (self.guesses + 1)) / (1 - alpha))

    def guess(self, p: Columns, machine: Machine) -> Pass:
        """The draft's passes of one step (N,), for a pass ``p`` of the model over its cache."""
        one = run(transformer.forward(self.architecture, p.with_(query=np.ones(len(p)), logits=p.batch), decode=True), machine)
        whole = one.times(self.guesses)
        return Pass({"draft": whole.seconds}, whole.flop, whole.moved, whole.launches)


def layer_of(a: Columns) -> Columns:
    """The architecture (N,) of one further layer with the model's own embeddings and output."""
    one = np.ones(len(a))
    return a.with_(
        num_layers=one, dense_layers=0 * one, window_layers=np.where(a.window_layers >= a.num_layers, one, 0 * one),
    )  # fmt: skip

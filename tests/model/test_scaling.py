"""The law of loss against what its papers say of it."""

import numpy as np
import pytest

from planner.model import scaling

EPOCH, CHINCHILLA = scaling.LAWS["epoch"], scaling.LAWS["chinchilla"]


def test_chinchilla_s_own_model() -> None:
    """70e9 parameters on 1.4e12 tokens: 5.88e23 FLOP; Epoch's fit calls about twenty tokens a parameter the best there."""
    assert scaling.trained(EPOCH, 70e9, 1.4e12).flop == pytest.approx(5.88e23)
    best = scaling.of_compute(EPOCH, 5.76e23)
    assert 15 < best.tokens / best.parameters < 26  # Besiroglu et al., figure 5, at Chinchilla's compute
    assert scaling.loss(CHINCHILLA, 70e9, 1.4e12) == pytest.approx(1.937, abs=0.01)  # Hoffmann et al., table A2 is in nats


@pytest.mark.parametrize("law", scaling.LAWS.values(), ids=scaling.LAWS)
def test_the_best_is_better_than_its_neighbours(law: scaling.Law) -> None:
    best = scaling.of_compute(law, 1e23)
    assert best.flop == pytest.approx(6 * best.parameters * best.tokens)
    for factor in (0.8, 1.25):
        assert scaling.loss(law, best.parameters * factor, best.tokens / factor) > best.loss


@pytest.mark.parametrize("law", scaling.LAWS.values(), ids=scaling.LAWS)
def test_three_ways_to_the_same_budget(law: scaling.Law) -> None:
    best = scaling.of_compute(law, 3e22)
    for same in (scaling.of_loss(law, best.loss), scaling.of_model(law, best.parameters)):
        assert (same.parameters, same.tokens) == pytest.approx((best.parameters, best.tokens), rel=1e-6)


def test_a_loss_below_the_floor_is_refused() -> None:
    with pytest.raises(ValueError, match=r"floor is 1\.8172"):
        scaling.of_loss(EPOCH, 1.8)


SARDANA = scaling.LAWS["sardana"]


def whole(budget: scaling.Budget, served: float) -> float:
    """FLOP of training and of so many tokens served: 6 N D + 2 N T."""
    return budget.flop + 2 * budget.parameters * served


def test_thirteen_billion_served_two_trillion_tokens() -> None:
    """Sardana et al., figure 1: a 13B that will serve 2e12 tokens is better a 7B on more data: 1.7e22 FLOP (17 %) less."""
    chinchilla = scaling.of_model(SARDANA, 13e9)
    best = scaling.of_life(SARDANA, chinchilla.loss, 2e12)
    saved = whole(chinchilla, 2e12) - whole(best, 2e12)
    assert best.parameters == pytest.approx(7e9, rel=0.1)
    assert saved == pytest.approx(1.7e22, rel=0.1)
    assert saved / whole(chinchilla, 2e12) == pytest.approx(0.17, rel=0.1)
    assert best.loss == pytest.approx(chinchilla.loss)


@pytest.mark.parametrize(
    ("size", "served", "parameters", "data", "flop"),
    [(30e9, 1e13, 13.6e9, 2.84, 0.72), (7e9, 1e11, 6e9, 1.18, None)],
)
def test_the_examples_of_section_2(size: float, served: float, parameters: float, data: float, flop: float | None) -> None:
    """30B and 1e13 tokens: 13.6B on 2.84 times the data, 28 % fewer FLOP; 7B and 1e11: 6B on 1.18 times the data."""
    chinchilla = scaling.of_model(SARDANA, size)
    best = scaling.of_life(SARDANA, chinchilla.loss, served)
    assert best.parameters == pytest.approx(parameters, rel=0.03)
    assert best.tokens / chinchilla.tokens == pytest.approx(data, rel=0.03)
    if flop:
        assert whole(best, served) / whole(chinchilla, served) == pytest.approx(flop, rel=0.01)


def test_the_authors_own_calculator() -> None:
    """README of github.com/nikhilsardana/beyond-chinchilla: loss 1.947 and 2e12 tokens give 24.18B on 2.657e12."""
    chinchilla, best = scaling.of_loss(SARDANA, 1.947), scaling.of_life(SARDANA, 1.947, 2e12)
    assert (best.parameters, best.tokens) == pytest.approx((2.418e10, 2.657e12), rel=1e-3)
    assert best.parameters / chinchilla.parameters == pytest.approx(0.7096, abs=1e-4)
    assert best.tokens / chinchilla.tokens == pytest.approx(1.4677, abs=1e-4)
    assert whole(best, 2e12) / whole(chinchilla, 2e12) == pytest.approx(0.9522, abs=1e-4)


def test_the_authors_own_calculator_in_money() -> None:
    """The same README: trained on A100 at $1.40/h and half of 312 TFLOP/s, served on A100 at $0.60/h in int8 (624 TOP/s): 1e10
    requests of 1,000 tokens at 40 % and 250 at 20 %: 20.53B on 3.302e12, 88.76 % of the cost.
    """
    train, serve = 6 * 1.40 / 3600 / 312e12 / 0.5, 2 * 0.60 / 3600 / 624e12
    served = 1e10 * (1000 / 0.4 + 250 / 0.2)
    chinchilla = scaling.of_loss(SARDANA, 1.947)
    best = scaling.of_life(SARDANA, 1.947, served, training=train, serving=serve)
    assert (best.parameters, best.tokens) == pytest.approx((2.053e10, 3.302e12), rel=1e-3)
    cost = [m.parameters * (train * m.tokens + serve * served) for m in (best, chinchilla)]
    assert cost[0] / cost[1] == pytest.approx(0.8876, abs=1e-4)


@pytest.mark.parametrize("law", scaling.LAWS.values(), ids=scaling.LAWS)
def test_more_traffic_makes_the_best_model_smaller_and_its_training_longer(law: scaling.Law) -> None:
    found = [scaling.of_life(law, law.e + 0.3, served) for served in (0.0, 1e11, 1e12, 1e13, 1e14)]
    assert found[0].parameters == pytest.approx(scaling.of_loss(law, law.e + 0.3).parameters, rel=1e-3)
    sizes, tokens = [f.parameters for f in found], [f.tokens for f in found]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] < sizes[0] / 2
    assert tokens == sorted(tokens)


def test_tokens_to_reach_a_loss() -> None:
    """What of_model gives, the other way round; a size whose bound is above the loss never reaches it."""
    best = scaling.of_model(EPOCH, 8e9)
    tokens = scaling.tokens_to_reach(EPOCH, np.array([8e9, 1e9]), best.loss)
    assert tokens[0] == pytest.approx(best.tokens)
    assert np.isinf(tokens[1]) == (scaling.bound(EPOCH, 1e9) >= best.loss)
    assert np.isinf(scaling.tokens_to_reach(EPOCH, np.array([1e8]), scaling.bound(EPOCH, 1e8))[0])

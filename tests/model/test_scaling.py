"""The law of loss against what its papers say of it."""

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

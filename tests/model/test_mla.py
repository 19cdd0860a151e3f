"""Latent attention worked by hand, with round devices and the coefficients given."""

import numpy as np
import pytest

from planner.model.columns import Columns
from planner.model.operation import Op
from planner.model.ops import decode_mla, mla
from tests.model.rows import coefficients, machine

ONE = np.ones(1)


def latent(context: float, *, heads: float = 16.0, batch: float = 1.0, kv: float = 0.0, flop: float = 0.0, **fit: float) -> float:
    """Decode of latent attention on 1 TB/s, 10 TFLOP/s and 100 units with 100 MB of cache on the chip."""
    given = {"flop": np.array([flop]), "activation_bytes": 0 * ONE, "kv_bytes": np.array([kv])}
    shape = {"batch": np.array([batch]), "heads": np.array([heads]), "context": np.array([context])}
    op = Op("x", "decode_mla", "attention", ONE, shape, **given)
    device = machine(peak_half=10e12, units=100.0, cache=100e6, fits={"decode_mla": fit})  # type: ignore[dict-item]
    return float(decode_mla.seconds(op, device)[0])


def test_latent_decode_reads_each_token_s_row_once() -> None:
    """1 GB at 1 TB/s and 80 %: 1.25 ms, after a start of 5 us; joining its splits another 3 us."""
    assert latent(1e6, kv=1e9, e_b=0.8, t0=5e-6, t_s=3e-6) == pytest.approx(1.258e-3)


def test_latent_decode_pads_heads_to_a_tile() -> None:
    """1 TFLOP of 16 heads at 10 TFLOP/s and 50 % is 200 ms; a tenth of it from 17 heads fills 32 rows: 20 ms x 32/17."""
    assert latent(1e3, flop=1e12, e=0.5) == pytest.approx(0.2)
    assert latent(1e3, heads=17.0, flop=1e11, e=0.5) == pytest.approx(0.02 * 32 / 17)


def test_latent_decode_may_walk_a_cache_in_one_block() -> None:
    """10,000 tokens at 0.1 us are 1 ms for up to 100 blocks at once; 101 sequences, or 51 of 128 heads, take two rounds."""
    assert latent(1e4, batch=100.0, t_k=1e-7) == pytest.approx(1e-3)
    assert latent(1e4, batch=101.0, t_k=1e-7) == latent(1e4, batch=51.0, heads=128.0, t_k=1e-7) == pytest.approx(2e-3)
    assert latent(1e4, batch=100.0, t_b=4e-6) == pytest.approx(4e-6)


def test_latent_prefill_by_hand() -> None:
    """Ten heads of 128 queries on as many units: 4 * 10 * 128 * 512 * 160 FLOP at 1 TFLOP/s: 419.4 us; with kv0 = 512, twice."""
    shape = Columns(batch=1.0, heads=10.0, query=128.0, context=512.0, dim=160.0, products=1.0, length=1)
    device = Columns(peak_half=1e12, bandwidth=1e12, units=10.0, systolic=np.nan, length=1)
    once, twice = (float(mla.time(shape, 0 * ONE, device, coefficients("mla", kv0=kv0))[0]) for kv0 in (0.0, 512.0))
    assert once == pytest.approx(419.43e-6, rel=1e-4) and twice == pytest.approx(2 * once)

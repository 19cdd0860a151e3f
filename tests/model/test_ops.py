"""Each operator's law worked by hand, with round devices and the coefficients given."""

from dataclasses import replace

import numpy as np
import pytest

from planner.model.columns import Columns
from planner.model.operation import Op
from planner.model.ops import attention, collective, decode_attention, laws, matmul, stream
from tests.model.rows import coefficients, machine

ONE = np.ones(1)
MIB = 2.0**20


def product_(m: float, n: float, k: float, groups: float = 1, moved: float = 0.0, **fit: float) -> float:
    """A product on 1 TFLOP/s spread over 100 units, with free memory unless told.

    Splitting k costs a second, and a tile of 16 rows takes as long as one of 64, unless told.
    """
    shape = Columns(m=m, n=n, k=k, groups=groups, hot=fit.pop("hot", 0.0), length=1)
    device = Columns(
        peak=1e12, bandwidth=1e12, units=fit.pop("units", 100.0), systolic=fit.pop("systolic", np.nan), cache=50e6, length=1
    )
    return float(matmul.time(shape, np.array([moved]), device, coefficients("matmul", **{"t_s": 1.0, "e16": 0.25, **fit}))[0])


def test_every_law_has_what_a_law_needs() -> None:
    assert set(laws()) >= {"matmul", "attention", "decode_attention", "stream", "collective", "network"}
    assert all(law.COEFFICIENTS and callable(law.seconds) for law in laws().values())


def test_matmul_roofline_compute_side() -> None:
    """2 * 1024^3 FLOP at 1 TFLOP/s are 2.147 ms, on a device whose units are not known."""
    assert product_(1024, 1024, 1024, units=np.nan) == pytest.approx(2.147e-3, rel=1e-3)


def test_without_known_units_a_product_is_one_of_the_largest_tiles() -> None:
    """c = 256 elements of a side: a tile of 256 x 128 loses 1 + 2; 1024 elements of k on top of 1024 take as long again."""
    plain = product_(1024, 1024, 1024, units=np.nan)
    assert product_(1024, 1024, 1024, units=np.nan, c=256.0) == pytest.approx(4 * plain)
    assert product_(1024, 1024, 1024, units=np.nan, k0=1024.0) == pytest.approx(2 * plain)


def test_a_systolic_array_is_filled_up() -> None:
    """Columns of 64 and k of 300 fill arrays of 256 to a quarter, and to 300 of 512; rows stream through as they are."""
    plain = product_(1000, 64, 300, units=np.nan)
    assert product_(1000, 64, 300, units=np.nan, systolic=256.0) == pytest.approx(plain * 4 * 512 / 300)
    assert product_(1000, 64, 300, systolic=256.0) == product_(1000, 64, 300)  # tiles of known units pad by themselves
    heads = {"units": np.nan, "longest": 512.0}
    assert attend(10, 512, 256, systolic=256.0, **heads) == pytest.approx(4 * attend(10, 512, 256, **heads))


def test_matmul_roofline_memory_side() -> None:
    """One row of 1024 x 1024 moves 2 MiB + 4 KiB: 2.1 us at 1 TB/s; its 2 MFLOP, another 2.1 us, overlap: 2^(1/4) longer."""
    moved = 2 * (1024 + 1024 + 1024 * 1024)
    assert product_(1, 1024, 1024, units=np.nan, moved=moved) == pytest.approx(2.1e-6 * 2**0.25, rel=0.01)


def test_matmul_start_adds_to_the_longer_side() -> None:
    assert product_(1024, 1024, 1024, t0=5e-6) - product_(1024, 1024, 1024) == pytest.approx(5e-6)


def test_one_tile_keeps_one_unit_busy() -> None:
    """A 64 x 64 tile on one of 100 units: 2 * 64 * 64 * 1000 FLOP at 10 GFLOP/s are 819.2 us."""
    assert product_(64, 64, 1000) == pytest.approx(819.2e-6)


@pytest.mark.parametrize(("tiles", "waves"), [(1, 1), (100, 1), (101, 2), (200, 2), (201, 3)])
def test_matmul_runs_in_whole_waves(tiles: int, waves: int) -> None:
    """Every 100 tiles of 64 x 64 fill the 100 units once; the next one starts a wave."""
    assert product_(64 * tiles, 64, 1000) == pytest.approx(waves * 819.2e-6)


def few_rows(m: float, packed: float = 0.0, vector: float = 1e12) -> float:
    shape = Columns(m=m, n=6400, k=1000, groups=1.0, hot=0.0, packed=packed, length=1)
    device = Columns(peak=1e12, bandwidth=1e12, units=100.0, systolic=np.nan, cache=50e6, vector=vector, length=1)
    return float(matmul.time(shape, np.zeros(1), device, coefficients("matmul", t_s=1.0, e16=0.25))[0])


def test_a_few_rows_go_through_vector_units_without_padding() -> None:
    """One row of 6,400 x 1,000 at 1 TFLOP/s: 12.8 us, four of them 51.2; on matrix units a wave of 64 x 64 tiles: 819 us."""
    assert (few_rows(1), few_rows(4)) == pytest.approx((12.8e-6, 51.2e-6))
    assert few_rows(9) == few_rows(64) == few_rows(1, vector=np.nan) == few_rows(1, vector=1e9) == pytest.approx(819.2e-6)


def test_packed_weights_are_unpacked_once_for_all_rows() -> None:
    """14 instructions more, as many as 14 rows' multiply-adds."""
    assert few_rows(1, packed=1.0) == pytest.approx(15 * 12.8e-6)
    assert few_rows(4, packed=1.0) == pytest.approx(18 * 12.8e-6)


def test_products_side_by_side_share_a_wave() -> None:
    assert product_(64, 64, 1000, groups=100) == product_(64, 64, 1000) == product_(64, 64, 1000, groups=101) / 2


def test_rows_are_padded_to_a_tile() -> None:
    assert product_(1, 64, 1000) == product_(64, 64, 1000)


def test_a_handful_of_rows_has_tiles_of_its_own() -> None:
    """16 x 64 at the full rate is a quarter of 819.2 us; at half of it, half."""
    assert product_(1, 64, 1000, e16=1.0) == product_(16, 64, 1000, e16=1.0) == pytest.approx(204.8e-6)
    assert product_(16, 64, 1000, e16=0.5) == pytest.approx(409.6e-6)


def test_splitting_k_fills_idle_units_at_a_price() -> None:
    """Eight splits of one tile take 819.2 / 8 = 102.4 us and eight times 10 us; at 100 us a split, four are best: 604.8."""
    assert product_(64, 64, 1000, t_s=10e-6) == pytest.approx(182.4e-6)
    assert product_(64, 64, 1000, t_s=100e-6) == pytest.approx((204.8 + 400) * 1e-6)
    assert product_(64, 64, 1000, t_s=1.0) == pytest.approx(819.2e-6)


def test_a_tile_costs_k0_before_it_works_and_small_tiles_lose() -> None:
    """k0 = 500 on k = 1000 is half as much again; c = 32 makes a 64 x 64 tile (1/64 + 1/64) * 32 = 1 slower: twice."""
    assert product_(64, 64, 1000, k0=500) == pytest.approx(1.5 * 819.2e-6)
    assert product_(64, 64, 1000, c=32) == pytest.approx(2 * 819.2e-6)


def test_quantising_activations_crosses_memory_again() -> None:
    """Activations of 2 MB, weights of 1 MB at 1 TB/s: 3 us; with q = 2 another 4 us, and 1 us to start that kernel."""

    def seconds(quantise: float, **fit: object) -> float:
        shape = {k: np.array([1e-3]) for k in "mnk"} | {"groups": ONE, "quantise": quantise * ONE, "hot": 0 * ONE}
        moved = {"weight_bytes": np.array([1e6]), "activation_bytes": np.array([2e6])}
        op = Op("x", "matmul", "matmul", ONE, shape, ONE, **moved)
        return float(matmul.seconds(op, machine(fits={"matmul": fit}))[0])

    assert seconds(1.0) == pytest.approx(3e-6)
    assert seconds(1.0, q=2.0, t_q=1e-6) == pytest.approx(8e-6)
    assert seconds(0.0, q=2.0, t_q=1e-6) == pytest.approx(3e-6)


def test_a_half_precision_product_uses_its_own_peak_and_coefficients() -> None:
    shape = {k: np.array([4096.0]) for k in "mnk"} | {"groups": ONE, "quantise": 0 * ONE, "hot": 0 * ONE}
    device = machine(peak=400e12, peak_half=100e12, fits={"matmul": {"e": 1.0}, "matmul_half": {"e": 0.5}})
    full, half = (matmul.seconds(Op("x", "matmul", "matmul", ONE, shape, ONE, half=h), device)[0] for h in (False, True))
    assert half == pytest.approx(8 * full)


def attend(heads: float, query: float, context: float, *, moved: float = 0.0, longest: float = 0.0, **fit: float) -> float:
    """Attention of 64-wide heads on 1 TFLOP/s over 10 units, with 50 MB on the chip."""
    more = {"products": fit.pop("products", 1.0), "windowed": fit.pop("windowed", 0.0)}
    shape = Columns(batch=1.0, heads=heads, query=query, context=context, longest=longest, dim=64.0, length=1, **more)
    device = Columns(
        peak_half=1e12, bandwidth=1e12, units=fit.pop("units", 10.0), systolic=fit.pop("systolic", np.nan), cache=50e6, length=1
    )
    return float(attention.time(shape, np.array([moved]), device, coefficients("attention", **fit))[0])


def test_attention_is_two_products() -> None:
    """Ten heads of 128 queries, one block a unit: 4 * 10 * 128 * 512 * 64 FLOP at 1 TFLOP/s are 167.8 us."""
    assert attend(10, 128, 512) == pytest.approx(167.77e-6, rel=1e-4)
    assert attend(10, 128, 512, e=0.5, t0=1e-6) == pytest.approx(2 * 167.77e-6 + 1e-6, rel=1e-4)
    assert attend(10, 128, 512, products=2.5) == pytest.approx(2.5 * 167.77e-6, rel=1e-4)


def test_attention_waits_for_its_longest_block() -> None:
    """One head of 512 queries on ten units: its last block of 128 sees 512 keys, 167.8 us on a unit, twice the average."""
    assert attend(1, 512, 256, longest=512) == pytest.approx(167.77e-6, rel=1e-4)
    assert attend(100, 512, 256, longest=512, w=0.5) == pytest.approx((40 * 0.5 + 0.5) * 167.77e-6, rel=1e-4)
    assert attend(1, 512, 256, longest=512, units=np.nan) == pytest.approx(167.77e-6 * 4 * 256 / 512 / 10, rel=1e-4)


def test_attention_pays_kv0_more_keys_and_short_queries_fill_a_block() -> None:
    assert attend(10, 128, 512, kv0=512) == pytest.approx(2 * attend(10, 128, 512))
    assert attend(10, 1, 512) == attend(10, 128, 512)


def test_a_window_s_blocks_visit_a_least_number_of_keys() -> None:
    """512 for a window of 128, but no more than a causal block of 128 queries has on average; all of one of 1,024."""
    assert attend(10, 4096, 128, v=512, windowed=1.0) == pytest.approx(attend(10, 4096, 512))
    assert attend(10, 128, 32, v=512, windowed=1.0) == pytest.approx(attend(10, 128, 64))
    assert attend(10, 4096, 1024, v=512, windowed=1.0) == attend(10, 4096, 1024, v=512) == attend(10, 4096, 1024)


def test_attention_reads_what_the_operator_before_left_on_the_chip() -> None:
    """1 GB at 1 TB/s and 50 % takes 2 ms on top of the products; 1 MB, which is still on the chip, a fifth of 2 us."""
    assert attend(10, 128, 512, moved=1e9, e_b=0.5) - attend(10, 128, 512) == pytest.approx(2e-3)
    assert attend(10, 128, 512, moved=1e6, e_b=0.5, h=5.0, f=1.0) - attend(10, 128, 512) == pytest.approx(0.4e-6)


def read_cache(
    kv: float, *, other: float = 0.0, flop: float = 0.0, blocks: float = 1.0, group: float = 4.0, context: float = 128.0,
    **fit: float,
) -> float:  # fmt: skip
    """Decode attention of 128-wide heads on 1 TB/s, 10 TFLOP/s and 100 units with 100 MB of cache on the chip."""
    given = {"flop": flop, "activation_bytes": other, "kv_bytes": kv}
    sizes = {"blocks": blocks, "group": group, "context": context, "dim": fit.pop("dim", 128.0)}
    shape = {name: np.array([value]) for name, value in sizes.items()}
    op = Op("x", "decode_attention", "attention", ONE, shape, **{k: np.array([v]) for k, v in given.items()})
    device = machine(peak_half=10e12, units=100.0, cache=100e6, fits={"decode_attention": fit})  # type: ignore[dict-item]
    return float(decode_attention.seconds(op, device)[0])


def test_decode_attention_reads_the_cache() -> None:
    """1 GB of cache and 1 MB of activations at 1 TB/s and 80 %: 1.25125 ms, after a start of 5 us."""
    assert read_cache(1e9, other=1e6, e_b=0.8, t0=5e-6) == pytest.approx(1.25625e-3)


def test_decode_attention_of_many_short_contexts_is_bound_by_blocks() -> None:
    """5,000 blocks on 100 units, each at least 4 us: 200 us, however few bytes."""
    assert read_cache(1e3, blocks=5000, t_b=4e-6) == pytest.approx(200e-6)


def test_decode_attention_of_one_query_a_key_has_blocks_of_its_own() -> None:
    """5,000 blocks of one head on 100 units at 1 us: 50 us; of 48 heads, 1.5 us more a block for each further 16: 4 + 3 us."""
    assert read_cache(1e3, blocks=5000, group=1, t_b=4e-6, t_1=1e-6) == pytest.approx(50e-6)
    assert read_cache(1e3, blocks=5000, group=32, t_b=4e-6, m=0.375) == pytest.approx(275e-6)


def test_too_many_queries_a_key_read_it_for_themselves() -> None:
    """64 heads that find the cache on the chip 4 times of 16: 1 GB is read 16 times at 1 TB/s."""
    assert read_cache(1e9, group=64, r=4.0) == pytest.approx(16e-3)


def test_operands_that_stayed_on_the_chip_are_read_faster() -> None:
    """1 MB of 50 MB of cache at 1 TB/s, 5 times as fast when it was used just before; 1 GB does not stay."""
    plain = product_(1, 1, 1e-6, moved=1e6, h=5.0, f=1.0)
    assert product_(1, 1, 1e-6, moved=1e6, h=5.0, f=1.0, hot=1.0) == pytest.approx(plain / 5, rel=1e-4)
    assert product_(1, 1, 1e-6, moved=1e9, h=5.0, f=1.0, hot=1.0) == pytest.approx(1e-3, rel=1e-4)


def test_wider_heads_hold_a_unit_longer() -> None:
    """4 us a block of 128-wide heads; of 512-wide ones, with d = 0.5, twice as long."""
    assert read_cache(1e3, blocks=5000, t_b=4e-6, d=0.5, dim=512.0) == pytest.approx(400e-6)


def test_decode_attention_splits_long_contexts_over_idle_units_and_joins_them() -> None:
    """One block of 10,240 keys on 100 units: 40 splits of 256 keys at 10 ns a key, and 39/40 of 8 us to join them."""
    fit = {"p": 1000.0, "t_k": 10e-9, "t_s": 8e-6}
    assert read_cache(0.0, context=10_240.0, **fit) == pytest.approx(2.56e-6 + 7.8e-6)
    assert read_cache(0.0, context=256.0, **fit) == pytest.approx(2.56e-6)
    assert read_cache(0.0, blocks=50.0, context=10_240.0, **fit) == pytest.approx(51.2e-6 + 7.8e-6)
    assert read_cache(0.0, blocks=200.0, context=10_240.0, **fit) == pytest.approx(2 * 102.4e-6 + 7.8e-6)


def test_a_context_is_read_in_whole_pages() -> None:
    """1 MB of 16 keys, read 64 at a time, at 1 TB/s: 4 us; of 128 keys, 1 us."""
    assert read_cache(1e6, context=16.0, k=64.0) == pytest.approx(4e-6)
    assert read_cache(1e6, context=128.0, k=64.0) == pytest.approx(1e-6)


def test_a_host_launches_behind_the_device_s_work() -> None:
    """Of 65 us on the host nothing shows beside 1 ms on the device, and all beside 1 us."""
    assert read_cache(1e9, t_h=65e-6) == pytest.approx(1e-3, rel=1e-4)
    assert read_cache(1e6, t_h=65e-6) == pytest.approx(65e-6, rel=1e-4)


def test_a_kernel_that_does_not_split_reads_a_context_key_by_key() -> None:
    """With p = 1 one unit takes all 10,240 keys; a lone query head's kernel splits all the same."""
    assert read_cache(0.0, context=10_240.0, p=1.0, t_k=10e-9) == pytest.approx(102.4e-6)
    assert read_cache(0.0, context=10_240.0, group=1.0, p=1.0, t_k=10e-9) == pytest.approx(2.56e-6)


def test_decode_attention_of_many_queries_a_key_is_compute_bound() -> None:
    """MLA's 128 heads share one row: 1 TFLOP at 10 TFLOP/s and 50 % is 200 ms, however few bytes."""
    assert read_cache(1e6, flop=1e12, e=0.5) == pytest.approx(0.2)


def test_stream_is_bytes_over_bandwidth_and_starts() -> None:
    """800 MB at 1 TB/s and 80 % are 1 ms; three kernels start in 2 us each."""
    op = Op("x", "stream", "elementwise", ONE, {"kernels": np.array([3.0])}, np.zeros(1), activation_bytes=np.array([800e6]))
    assert stream.seconds(op, machine(fits={"stream": {"e_b": 0.8, "t0": 2e-6}}))[0] == pytest.approx(1.006e-3)


def test_collective_by_hand() -> None:
    """256 MiB summed over 8 ranks: each sends 2 * 7/8 of it, at 80 GB/s 5.87 ms; 5 us and 7 times 1 us on top."""
    volume = collective.share("all_reduce", np.array([8.0])) * 256 * MIB
    assert volume[0] == 448 * MIB
    fit = coefficients("collective", a=5e-6, b=1e-6, e_w=0.8)
    assert collective.time(np.array([8.0]), volume, np.array([100e9]), fit)[0] == pytest.approx(5.884e-3, rel=1e-3)
    start = coefficients("collective", c=1e-9)
    assert collective.time(np.array([8.0]), np.array([1e6]), np.array([np.inf]), start)[0] == pytest.approx(1e-6)


def test_in_a_full_mesh_a_group_has_only_the_wires_between_its_members() -> None:
    """Seven wires that carry 100 GB/s together: two devices use one of them, four use three, all eight all; of eight ranks two
    apart, four sit in each node and share three wires, less than their rails to the other node."""

    def link(ranks: float, stride: float = 1.0, **device: float) -> float:
        return float(collective.bandwidth(machine(**device).device, ranks * ONE, stride * ONE)[0])

    assert [link(n, up_peers=7.0) for n in (2, 4, 8)] == pytest.approx([100e9 / 7, 300e9 / 7, 100e9])
    assert [link(n) for n in (2, 4, 8)] == [100e9] * 3
    assert link(8, 2, up_peers=7.0, out_bandwidth=50e9) == pytest.approx(300e9 / 7)
    assert link(16, 1, up_peers=7.0) == 8 * 10e9


def test_each_collective_has_coefficients_of_its_own_where_there_are_any() -> None:
    """1 MB at 100 GB/s takes 10 us, and an all-reduce 3 us more; whatever has none of its own takes those of all."""
    own = replace(machine(), laws={**machine().laws, "collective_all_reduce": coefficients("collective", a=3e-6)})
    sum_, gather = (collective.between(k, 2 * ONE, 1e6 * ONE, 100e9 * ONE, own)[0] for k in ("all_reduce", "all_gather"))
    assert (sum_, gather) == pytest.approx((13e-6, 10e-6))
    shape = {"ranks": 2 * ONE, "volume": 1e6 * ONE, "stride": ONE}
    op = Op("x", "collective", "communication", ONE, shape, ONE, variant="all_reduce")
    assert collective.seconds(op, own)[0] == pytest.approx(13e-6)


def test_a_bus_is_shared_by_the_ranks_of_one_host_only() -> None:
    """With g = 2 eight ranks have (2/8)^2 of what two have, and so have 64, which lie in hosts of their own."""
    fit, link = coefficients("collective", g=2.0), np.array([100e9])
    two, eight, many = (collective.time(n * ONE, 1e6 * ONE, link, fit)[0] for n in (2.0, 8.0, 64.0))
    assert eight == many == pytest.approx(16 * two)


def test_a_single_rank_sends_nothing() -> None:
    fit = coefficients("collective", a=5e-6, b=1e-6)
    assert collective.time(ONE, ONE * 1e9, ONE * np.nan, fit)[0] == 0
    assert all(
        collective.share(kind, ONE)[0] == 0 for kind in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send")
    )


@pytest.mark.parametrize(
    ("kind", "of_the_message"),
    [("all_reduce", 1.5), ("all_gather", 0.75), ("reduce_scatter", 0.75), ("all_to_all", 0.75), ("send", 1)],
)
def test_what_each_collective_sends_of_a_message(kind: str, of_the_message: float) -> None:
    """Four ranks in a ring (Thakur et al., 2005)."""
    assert collective.share(kind, np.array([4.0]))[0] == of_the_message


@pytest.mark.parametrize(
    ("ranks", "stride", "gigabytes"),
    [
        (8, 1, 100),  # within the node
        (4, 2, 100),
        (16, 1, 80),  # two nodes: eight members a node share its eight rails of 10 GB/s
        (4, 4, 20),  # two members a node
        (2, 8, 10),  # one member a node has its own rail
        (1024, 1, 80),
    ],
)
def test_bandwidth_towards_a_group(ranks: float, stride: float, gigabytes: float) -> None:
    """Nodes of eight at 100 GB/s a device inside and 10 GB/s out."""
    assert collective.bandwidth(machine().device, np.array([ranks]), np.array([stride]))[0] == gigabytes * 1e9


def test_many_rails_do_not_exceed_the_node_s_own_link() -> None:
    fast = machine(out_bandwidth=50e9).device
    assert collective.bandwidth(fast, np.array([16.0]), ONE)[0] == 100e9

"""What this machine can do at the most: the roof under which the other figures stand.

`python -m bench.roofline [--data FOLDER]`: memory read, matrix products at 8 bit and in full
precision by the engine that the product runs (OpenVINO), fsync in the data directory, and
the rate of a bare Python loop on one core. Medians of several runs.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from core.settings import load_settings
from evals.record import spread, write_result

RUNS = 9
READ_BYTES = 512 * 2**20
FSYNCS = 200
FSYNC_BYTES = 4096
LOOP_STEPS = 2_000_000
LEVELS = 256
# Rows, inner and outer size: the encoder's widest product over one batch of 2,048 tokens,
# and a square one large enough that nothing but the arithmetic counts.
SHAPES = {"encoder": (2048, 384, 1536), "large": (2048, 2048, 2048)}


def read_bandwidth(runs: int = RUNS) -> dict:
    """GB/s read from memory by all cores, each reducing its part of a large array."""
    cores = os.cpu_count() or 1
    words = np.ones(READ_BYTES // 8, np.uint64)
    parts = np.array_split(words, cores)
    with ThreadPoolExecutor(cores) as pool:
        return rate(lambda: list(pool.map(np.bitwise_or.reduce, parts)), READ_BYTES / 1e9, runs)


def scan_bandwidth(dimensions: int, runs: int = RUNS) -> dict:
    """GB/s of an exact search: one matrix of float32 vectors times one vector."""
    rows = READ_BYTES // 4 // dimensions
    table, query = np.ones((rows, dimensions), np.float32), np.ones(dimensions, np.float32)
    return rate(lambda: table @ query, table.nbytes / 1e9, runs)


def product_rate(shape: tuple[int, int, int], eight_bit: bool, runs: int = RUNS) -> dict:
    """Billion multiply-and-add operations a second, each counted as two, by OpenVINO."""
    rows, inner, outer = shape
    compiled = ov.Core().compile_model(
        product_graph(shape, eight_bit),
        "CPU",
        {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"},
    )
    values = np.random.default_rng(1).standard_normal((rows, inner)).astype(np.float32)
    figures = rate(lambda: compiled([values]), 2 * rows * inner * outer / 1e9, runs)
    return {**figures, "ran_as": product_precision(compiled)}


def product_graph(shape: tuple[int, int, int], eight_bit: bool) -> ov.Model:
    """One product as the encoder's graph has it: 8-bit weights per row and activations per
    tensor, or float32 on both sides."""
    rows, inner, outer = shape
    rng = np.random.default_rng(2)
    source = ops.parameter([rows, inner], np.float32, name="source")
    if not eight_bit:
        weights = rng.standard_normal((outer, inner)).astype(np.float32)
        return ov.Model([ops.result(ops.matmul(source, ops.constant(weights), False, True))], [source], "f32")
    low, high = np.float32(-4), np.float32(4)
    narrowed = ops.fake_quantize(source, low, high, low, high, LEVELS)
    codes = ops.constant(rng.integers(-127, 128, (outer, inner), dtype=np.int8))
    weights = ops.multiply(ops.convert(codes, np.float32), np.full((outer, 1), 0.01, np.float32))
    return ov.Model([ops.result(ops.matmul(narrowed, weights, False, True))], [source], "i8")


def product_precision(compiled: ov.CompiledModel) -> str:
    """In which precision the plugin runs the product: what was asked for need not be done."""
    for node in compiled.get_runtime_model().get_ops():
        info = node.get_rt_info()
        if info["layerType"].astype(str) in ("FullyConnected", "MatMul"):
            return info["runtimePrecision"].astype(str)
    return "unknown"


def fsync_latency(folder: Path) -> dict:
    """Milliseconds of writing one page and forcing it to the disk."""
    path = folder / "fsync.probe"
    spent = []
    with path.open("wb") as file:
        for _ in range(FSYNCS):
            file.write(os.urandom(FSYNC_BYTES))
            begun = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            spent.append((time.perf_counter() - begun) * 1000)
    path.unlink()
    spent.sort()
    return {
        "min": round(spent[0], 3),
        "median": round(statistics.median(spent), 3),
        "p99": round(spent[int(0.99 * len(spent))], 3),
        "runs": len(spent),
    }


def loop_rate(runs: int = RUNS) -> dict:
    """Million steps a second of a Python loop that counts down."""

    def count() -> None:
        left = LOOP_STEPS
        while left:
            left -= 1

    return rate(count, LOOP_STEPS / 1e6, runs)


def rate(work: Callable[[], object], amount: float, runs: int) -> dict:
    """`amount` a second over several runs, after one that does not count."""
    work()
    rates = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        rates.append(amount / (time.perf_counter() - begun))
    return spread(rates)


def measure(data: Path, dimensions: int = 384) -> dict:
    """All of it."""
    data.mkdir(parents=True, exist_ok=True)
    products = {
        f"{kind}, {name} {'×'.join(map(str, shape))}": product_rate(shape, kind == "8 bit")
        for kind in ("8 bit", "float32")
        for name, shape in SHAPES.items()
    }
    return {
        "memory_read_gb_per_s": read_bandwidth(),
        "exact_scan_gb_per_s": scan_bandwidth(dimensions),
        "product_gops": products,
        "fsync_ms": {"folder": "the data directory", **fsync_latency(data)},
        "python_loop_mega_steps_per_s": loop_rate(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.roofline")
    parser.add_argument("--data", type=Path, default=load_settings().data, help="where fsync is measured")
    write_result("roofline", "python -m bench.roofline", measure(parser.parse_args().data))

"""The benches count and name what they time."""

import importlib.util
import sys
from pathlib import Path

BENCH = Path(__file__).parents[1] / "bench"


def load(name):
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    bench = importlib.util.module_from_spec(spec)
    sys.modules[name] = bench  # where dataclasses look for their module
    spec.loader.exec_module(bench)
    return bench


def test_the_bench_of_picture_folders_times_both_sides(tmp_path):
    bench = load("image_folder")
    rows = bench.measure(tmp_path, images=8, rounds=1, sizes=[16], workers=[0])
    assert [row.case for row in rows] == [("training", 16, 0), ("evaluation", 16, 0)]
    assert all(row.ratio(of) > 0 for row in rows for of in ("wall", "cpu"))
    lines = bench.table(rows, images=8).splitlines()
    assert len(lines) == 3
    assert lines[0].split()[-4:] == ["ratio", "of", "CPU", "time"]
    assert lines[1].split()[:3] == ["training", "16", "0"]


def test_the_bench_of_processes_reads_what_a_fit_says():
    bench = load("scaling")
    said = [
        "lt: 1201 training images, fingerprint 8b7ba0c747020719",
        "lt: epoch 1/4, train/loss 2.1, lr 0.02, 9.0 s",
        *(f"lt: epoch {n}/4, train/loss 1.4, lr 0.04, {s} s" for n, s in ((2, 1.0), (3, 2.0))),
        "lt: epoch 4/4, train/loss 1.1, lr 0.001, 4.0 s",
    ]
    assert bench.images_per_second("\n".join(said), 128) == 9 * 128 / 2.0
    way = bench.ways(128)[1]
    words = bench.command("ce", way, 4, 8, "0")
    assert words[words.index("--trainer.devices") + 1] == "2"
    assert words[words.index("--data.batch_size") + 1] == "128"


def test_what_communication_takes_is_told_by_runs_that_exchange_nothing():
    bench = load("scaling")
    speeds = dict(
        zip([way.name for way in bench.ways(128)], (100, 150, 160, 180, 175), strict=True)
    )
    _, same, twice = bench.table("ce", 128, speeds).splitlines()
    assert same == "| ce, 2 processes, the same batch, 128 | 150 | 75% | 6% |"
    assert twice == "| ce, 2 processes, twice the batch, 256 | 180 | 90% | 0% |"

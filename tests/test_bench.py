"""The bench of picture folders counts and names what it times."""

import importlib.util
from pathlib import Path

BENCH = Path(__file__).parents[1] / "bench"


def test_the_bench_of_picture_folders_times_both_sides(tmp_path):
    spec = importlib.util.spec_from_file_location("image_folder", BENCH / "image_folder.py")
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    rows = bench.measure(tmp_path, images=8, rounds=1, sizes=[16], workers=[0])
    assert [row.case for row in rows] == [("training", 16, 0), ("evaluation", 16, 0)]
    assert all(row.ratio(of) > 0 for row in rows for of in ("wall", "cpu"))
    lines = bench.table(rows, images=8).splitlines()
    assert len(lines) == 3
    assert lines[0].split()[-4:] == ["ratio", "of", "CPU", "time"]
    assert lines[1].split()[:3] == ["training", "16", "0"]

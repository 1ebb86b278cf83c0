import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from lt_lightning.metrics import ClassStats, ConfusionCounts, OneVsRestAUC

WORLD = 2
GROUPS = {"many": [0, 1], "few": [2, 3, 4]}


def batch():
    g = torch.Generator().manual_seed(0)
    return torch.randn(101, 5, generator=g) * 4, torch.randint(0, 5, (101,), generator=g)


def report(stats, counts):
    tables = {**stats.per_class(), **{f"bin_{k}": v for k, v in stats.reliability().items()}}
    return stats.compute(), tables, counts.compute()


def work(rank, folder):
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=WORLD
    )
    logits, targets = batch()
    stats, counts = ClassStats(5, groups=GROUPS), ConfusionCounts(5)
    for metric in (stats, counts):
        metric.update(logits[rank::WORLD], targets[rank::WORLD])
    own = int(stats.total.sum())
    torch.save((report(stats, counts), own, int(stats.total.sum())), f"{folder}/{rank}.pt")
    only_first = ClassStats(5, groups=GROUPS)
    if rank == 0:
        only_first.update(logits, targets)
    assert only_first.compute()["acc"] > 0
    shared, only_first = OneVsRestAUC(5), OneVsRestAUC(5)
    shared.update(logits[rank::WORLD], targets[rank::WORLD])
    if rank == 0:
        only_first.update(logits, targets)
    torch.save((shared.compute(), only_first.compute()), f"{folder}/auc{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.distributed
def test_two_processes_give_the_bits_of_one(tmp_path):
    mp.spawn(work, args=(str(tmp_path),), nprocs=WORLD)
    stats, counts = ClassStats(5, groups=GROUPS), ConfusionCounts(5)
    for metric in (stats, counts):
        metric.update(*batch())
    values, tables, table = report(stats, counts)
    area = OneVsRestAUC(5)
    area.update(*batch())
    for rank in range(WORLD):
        for found in torch.load(tmp_path / f"auc{rank}.pt"):
            assert torch.equal(found, area.compute())
        (values2, tables2, table2), before, after = torch.load(tmp_path / f"{rank}.pt")
        assert values2 == values
        assert tables2.keys() == tables.keys()
        for name, expected in tables.items():
            torch.testing.assert_close(tables2[name], expected, rtol=0, atol=0, equal_nan=True)
        assert torch.equal(table2, table)
        assert before == after == len(batch()[1][rank::WORLD])

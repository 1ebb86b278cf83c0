"""Momentum contrast: loss, queue and key encoder against slow loops, on one process and on two."""

import math

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from lightning.pytorch import Callback

from lt_lightning.backbones import ResNetCIFAR
from lt_lightning.engine.whole_batch import every_row
from lt_lightning.errors import UserError
from lt_lightning.heads import ProjectionHead
from lt_lightning.methods import MoCo, RotationSSP
from lt_lightning.methods.moco import contrast

SHORT = {"epochs": 1, "limit_val_batches": 0}


def test_loss_is_that_of_a_slow_loop():
    g = torch.Generator().manual_seed(0)
    rows = F.normalize(torch.randn(14, 6, generator=g, dtype=torch.float64), dim=1)
    queries, keys, queue = rows[:4], rows[4:8], rows[8:]
    total, right = 0.0, 0
    for q, k in zip(queries, keys, strict=True):
        own = math.exp(float(q @ k) / 0.3)
        others = [math.exp(float(q @ other) / 0.3) for other in queue]
        total -= math.log(own / (own + sum(others)))
        right += own > max(others)
    loss, hits = contrast(queries, keys, queue, 0.3)
    assert float(loss) == pytest.approx(total / 4, rel=1e-12)
    assert float(hits) == right / 4


class _Slow(Callback):
    """Follows queue and key encoder by hand."""

    def __init__(self):
        self.steps = 0

    def on_train_start(self, trainer, module):
        state = module.state_dict()
        assert all(torch.equal(v, state[f"key_encoder.{k}"]) for k, v in state.items()
                   if k.startswith("backbone."))  # fmt: skip
        self.queue, self.place = module.queue.keys.tolist(), 0

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        query = {**_named(module.backbone), **_named(module.projection)}
        key = {**_named(module.key_encoder.backbone), **_named(module.key_encoder.projection)}
        self.wanted = {n: 0.99 * key[n] + 0.01 * query[n] for n in key}
        self.keys = []
        self.hook = module.key_encoder.projection.register_forward_hook(
            lambda *seen: self.keys.extend(seen[2].tolist())
        )

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.hook.remove()
        for row in self.keys:
            self.queue[self.place] = row
            self.place = (self.place + 1) % len(self.queue)
        assert module.queue.keys.tolist() == self.queue
        assert int(module.queue.pointer) == self.place
        key = {**_named(module.key_encoder.backbone), **_named(module.key_encoder.projection)}
        for name, value in self.wanted.items():
            torch.testing.assert_close(key[name], value)
        self.steps += 1


def _named(part):
    return {name: p.detach().clone() for name, p in part.named_parameters()}


def test_queue_and_key_encoder_are_those_of_a_slow_loop(lab):
    slow = _Slow()
    fitted = lab.fit(MoCo, slow, **SHORT)
    assert slow.steps == 4
    assert all(p.grad is None for p in fitted.module.key_encoder.backbone.parameters())


def test_loss_falls_once_the_queue_holds_keys(lab):
    def slow(parameters):  # at the rate of supervised methods all embeddings become one
        return torch.optim.SGD(parameters, lr=0.015, momentum=0.9)

    losses = lab.fit(MoCo, epochs=8, model={"optimizer": slow, "queue_size": 8}).watch.losses
    assert losses[0] < losses[1]  # random directions are far from every query
    assert losses[-1] < losses[1] - 0.05


def test_key_encoder_begins_as_the_backbone_of_another_run(lab, tmp_path):
    first = lab.fit(RotationSSP, **SHORT)
    first.trainer.save_checkpoint(tmp_path / "first.ckpt")
    lab.fit(MoCo, _Slow(), model={"backbone_init": str(tmp_path / "first.ckpt")}, **SHORT)


@pytest.mark.parametrize(
    ("model", "data", "sentence"),
    [
        ({"queue_size": 20}, {}, "queue_size 20 is no multiple of data.batch_size 8: give one, "
         "such as --model.queue_size 24"),
        ({}, {"drop_last": False}, "set --data.drop_last true"),
        ({}, {"views": {"images": 1}}, "compares two views .* but data.views gives 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(lab, model, data, sentence):
    with pytest.raises(UserError, match=sentence):
        lab.fit(MoCo, model=model, data=lab.data(MoCo, **data), **SHORT)


@pytest.mark.parametrize(
    "options", [{"queue_size": 0}, {"momentum": 1.5}, {"temperature": 0.0}], ids=str
)
def test_numbers_out_of_range_are_refused(lab, options):
    with pytest.raises(UserError, match="give a number"):
        lab.module(MoCo, **options)


def _module():
    torch.manual_seed(0)
    return MoCo(
        class_counts=[4, 2],
        backbone=lambda: ResNetCIFAR(depth=8, width=4),
        projection=lambda width: ProjectionHead(width, out_features=5),
        queue_size=12,
    )


def _images():
    return torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def _work(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    module, seen = _module(), []
    hook = module.key_encoder.backbone.register_forward_pre_hook(
        lambda _, given: seen.append(given[0])
    )
    mine = _images()[4 * rank : 4 * rank + 4]
    with torch.no_grad():
        module.eval()  # without the statistics of its batch a key depends on its own image alone
        own = module.key_encoder.keys_of(mine, 3)
        hook.remove()
        in_batches = module.train().key_encoder.keys_of(mine, 3)
    for _ in range(2):
        module.queue.add(every_row(own))
    found = (own, seen[0], module.queue.keys, module.queue.pointer, in_batches)
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.distributed
def test_keys_are_shuffled_over_two_processes_and_brought_back(tmp_path):
    mp.spawn(_work, args=(str(tmp_path),), nprocs=2)
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    module, images = _module().eval(), _images()
    with torch.no_grad():
        keys = module.key_encoder.keys_of(images, 3)
    torch.testing.assert_close(torch.cat([own for own, *_ in found]), keys)
    batches = [batch for _, batch, *_ in found]
    dealt = torch.cat(batches).flatten(1)
    assert sorted(dealt.tolist()) == sorted(images.flatten(1).tolist())
    assert {tuple(r) for r in batches[0].flatten(1).tolist()} != {
        tuple(r) for r in images[:4].flatten(1).tolist()
    }
    queue, place = module.queue.keys.tolist(), 0
    for _ in range(2):
        for row in torch.cat([own for own, *_ in found]).tolist():
            queue[place], place = row, (place + 1) % 12
    for _, _, kept, pointer, in_batches in found:
        assert kept.tolist() == queue
        assert int(pointer) == place == 4
        assert bool(in_batches.isfinite().all())

"""PaCo's training step against a slow one, its queue of labelled keys, and what it refuses."""

import math

import lightning as L
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from lt_lightning.backbones import ResNetCIFAR
from lt_lightning.engine.whole_batch import every_row
from lt_lightning.errors import UserError
from lt_lightning.heads import ProjectionHead
from lt_lightning.losses import BalancedSoftmax, CrossEntropy, LogitAdjustment
from lt_lightning.methods import PaCo, RotationSSP

SHORT = {"limit_val_batches": 0}


class Slow(L.Callback):
    """Works out each step's loss, and the queue after it, one number at a time."""

    def __init__(self, tau=1.0):
        self.tau, self.steps, self.queue = tau, 0, []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.rows = {}
        self.hooks = [
            part.register_forward_hook(lambda *seen, n=name: self.rows.update({n: seen[2]}))
            for name, part in (
                ("logits", module.head),
                ("queries", module.projection),
                ("keys", module.key_encoder.projection),
            )
        ]

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        for hook in self.hooks:
            hook.remove()
        rows = {name: value.tolist() for name, value in self.rows.items()}
        images, labels = batch["images"]
        assert len(images) == 2 * len(rows["queries"]) == 2 * len(rows["keys"])
        y = labels[: len(rows["keys"])].tolist()
        counts = module.loss.class_counts.tolist()
        wanted = self._loss(rows, y, [self.tau * math.log(n / sum(counts)) for n in counts])
        assert float(outputs["loss"]) == pytest.approx(wanted, rel=1e-4)
        self.queue += list(zip(rows["keys"], y, strict=True))
        self.queue = self.queue[-len(module.queue.keys) :]
        kept = zip(module.queue.keys.tolist(), module.queue.labels.tolist(), strict=True)
        assert sorted(pair for pair in kept if pair[1] >= 0) == sorted(self.queue)
        self.steps += 1

    def _loss(self, rows, y, prior):
        samples = [*zip(rows["queries"], y, strict=True), *zip(rows["keys"], y, strict=True)]
        samples += self.queue
        total = 0.0
        for i, (query, own) in enumerate(zip(rows["queries"], y, strict=True)):
            centers = [z + p for z, p in zip(rows["logits"][i], prior, strict=True)]
            at = [
                (sum(a * b for a, b in zip(query, key, strict=True)) / 0.1, label)
                for j, (key, label) in enumerate(samples)
                if j != i
            ]
            norm = math.log(sum(map(math.exp, [*centers, *(value for value, _ in at)])))
            logs, weight = 2.0 * (centers[own] - norm), 2.0
            for value, label in at:
                if label == own:
                    logs, weight = logs + 0.3 * (value - norm), weight + 0.3
            total -= logs / weight
        return total / len(y)


@pytest.mark.parametrize("tau", [1.0, 0.0])
def test_a_step_is_that_of_a_slow_loop(lab, tau):
    slow = Slow(tau)
    options = {
        "loss": lambda counts: LogitAdjustment(counts, tau=tau),
        "center_weight": 2.0,
        "sample_weight": 0.3,
        "temperature": 0.1,
    }
    fitted = lab.fit(PaCo, slow, epochs=1, model=options, **SHORT)
    assert slow.steps == 4  # batches of 8 fill a queue of 16 and come round
    assert all(p.grad is None for p in fitted.module.key_encoder.parameters())
    assert all(p.grad is not None for p in fitted.module.projection.parameters())


def test_key_encoder_begins_as_the_backbone_of_another_run(lab, tmp_path):
    first = lab.fit(RotationSSP, epochs=1, **SHORT)
    first.trainer.save_checkpoint(tmp_path / "first.ckpt")
    own = {k: v.clone() for k, v in first.module.backbone.state_dict().items()}

    class Look(L.Callback):
        def on_train_start(self, trainer, module):
            for name, value in module.key_encoder.backbone.state_dict().items():
                assert torch.equal(value, own[name]), name

    options = {"backbone_init": str(tmp_path / "first.ckpt")}
    lab.fit(PaCo, Look(), epochs=1, model=options, limit_train_batches=1, **SHORT)


def test_evaluation_leaves_prior_and_projection_out(lab):
    module = lab.module(PaCo).eval()
    images = torch.rand(4, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(module.predict_logits(images), module.head(module.features(images)))


@pytest.mark.parametrize(
    ("model", "data", "sentence"),
    [
        ({"queue_size": 20}, {}, "queue_size 20 is no multiple of data.batch_size 8"),
        ({}, {"drop_last": False}, "PaCo needs batches that are all full"),
        ({}, {"views": {"images": 1}}, "PaCo compares two views .* --data.views.images 2"),
    ],
)
def test_what_does_not_fit_is_refused(lab, model, data, sentence):
    with pytest.raises(UserError, match=sentence):
        lab.fit(PaCo, model=model, data=lab.data(PaCo, **data), epochs=1, **SHORT)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"loss": CrossEntropy}, "model.loss is CrossEntropy: set --model.loss LogitAdjustment"),
        ({"center_weight": 0.0}, "center_weight is 0"),
        ({"sample_weight": -1.0}, "sample_weight is -1"),
        ({"temperature": 0.0}, "temperature is 0"),
        ({"queue_size": 0}, "queue_size is 0"),
        ({"momentum": 1.5}, "momentum is 1.5"),
    ],
)
def test_bad_option_is_refused(lab, options, sentence):
    with pytest.raises(UserError, match=sentence):
        lab.module(PaCo, **options)


class Contrast(nn.Module):
    """The part of a step after the backbone, as DDP wraps it."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner = PaCo(
            class_counts=[40, 9, 3],
            loss=BalancedSoftmax,
            backbone=lambda: ResNetCIFAR(depth=8, width=4),
            projection=lambda width: ProjectionHead(width, out_features=5),
            queue_size=16,
        ).requires_grad_(False)
        self.inner.head.requires_grad_(True)
        self.inner.projection.requires_grad_(True)

    def forward(self, features, targets, keys):
        inner = self.inner
        every = every_row(keys)
        value = inner._contrast(inner.head(features), inner.projection(features), targets, every)
        inner.queue.add(every, every_row(targets))
        return value


def step(network, rows):
    """Return the loss of the second of two steps, its gradient and the queue."""
    g = torch.Generator().manual_seed(1)
    features, targets = torch.randn(8, 16, generator=g), torch.tensor([0, 0, 1, 0, 2, 0, 1, 0])
    for _ in range(2):
        keys = nn.functional.normalize(torch.randn(8, 5, generator=g), dim=1)
        network.zero_grad()
        value = network(features[rows], targets[rows], keys[rows])
        value.backward()
    inner = getattr(network, "module", network).inner
    slopes = [p.grad.flatten() for p in inner.parameters() if p.requires_grad]
    return value.detach(), torch.cat(slopes), inner.queue.keys, inner.queue.labels


def work(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    network = nn.parallel.DistributedDataParallel(Contrast())
    torch.save(step(network, slice(4 * rank, 4 * rank + 4)), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.distributed
def test_two_processes_have_loss_gradient_and_queue_of_one(tmp_path):
    mp.spawn(work, args=(str(tmp_path),), nprocs=2)
    expected = step(Contrast(), slice(None))
    assert int((expected[3] >= 0).sum()) == 16
    for rank in range(2):
        for have, want in zip(torch.load(tmp_path / f"{rank}.pt"), expected, strict=True):
            torch.testing.assert_close(have, want)

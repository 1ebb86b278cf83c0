"""Tiny digits, and one fit of every public method that many tests look at."""

import inspect
from dataclasses import dataclass, field

import lightning as L
import pytest
import torch

from lt_lightning import methods
from lt_lightning.backbones import BilateralResNetCIFAR, ResNetCIFAR
from lt_lightning.data import Digits, Exponential, LeftOver, LongTailDataModule
from lt_lightning.data.source import MemoryImages
from lt_lightning.heads import CausalNormHead, ProjectionHead
from lt_lightning.methods import LongTailModule, SelfSupervised
from lt_lightning.metrics import ShotGroups
from lt_lightning.recipes import CosineRecipe
from lt_lightning.samplers import ClassBalanced, InstanceBalanced, Reversed
from lt_lightning.schedule import LinearDecay

SEED = "PL_GLOBAL_SEED"  # where Lightning keeps the seed of the run
CLASSES = 5


TINY = {"depth": 8, "width": 4}


def _tiny():
    return ResNetCIFAR(**TINY)


def _tiny_bilateral():
    return BilateralResNetCIFAR(depth=8, width=4)


def _tiny_projection(features):
    return ProjectionHead(features, out_features=8)


def _soft_causal_head(features, outputs):
    # The published scale asks for larger batches than these of 8 images.
    return CausalNormHead(features, outputs, scale=4.0)


# What a method needs beyond a backbone of one branch and one sampler per stream, and what it logs
# beyond the metrics of all methods. A new public method is tested without a row; it gets one where
# that is not enough.
NEEDS = {
    "BBN": {
        "model": {"backbone": _tiny_bilateral},
        "samplers": {"uniform": InstanceBalanced(), "reversed": Reversed()},
    },
    "BCL": {
        "model": {"projection": _tiny_projection},
        "data": {"views": {"features": 2}},
    },
    "CausalTDE": {
        "model": {"backbone": _tiny_bilateral, "head": _soft_causal_head},
        "metrics": {f"acc{end}_without_tde" for end in ("", "_macro", "_many", "_medium", "_few")},
    },
    "HybridContrastive": {
        "model": {"projection": _tiny_projection, "alpha": LinearDecay()},
        "samplers": {"features": InstanceBalanced(), "classifier": ClassBalanced()},
        "data": {"views": {"features": 2}},
    },
    "PseudoLabel": {"data": {"unlabelled": LeftOver()}},
    "MoCo": {
        "model": {"projection": _tiny_projection, "queue_size": 16, "momentum": 0.99},
        "data": {"views": {"images": 2}, "drop_last": True},
    },
    # The published temperature asks for larger batches than these of 8 images.
    "PaCo": {
        "model": {
            "projection": _tiny_projection,
            "queue_size": 16,
            "momentum": 0.99,
            "temperature": 0.2,
        },
        "data": {"views": {"images": 2}, "drop_last": True},
    },
    "SimSiam": {
        "model": {"width": 64},
        "data": {"views": {"images": 2}, "drop_last": True},
    },
    "CMO": {"model": {"plain_first": 0, "plain_last": 0, "probability": 0.8}},
}


def public_methods():
    assert set(NEEDS) <= set(methods.__all__), "NEEDS has a method that is gone"
    found = [getattr(methods, name) for name in methods.__all__]
    classes = [item for item in found if inspect.isclass(item)]
    return [item for item in classes if issubclass(item, LongTailModule) and not _abstract(item)]


def _abstract(kind):
    # Lightning's metaclass is plain, so `inspect.isabstract` does not know.
    return any(getattr(getattr(kind, name, 0), "__isabstractmethod__", 0) for name in dir(kind))


class TinyDigits(Digits):
    """Five classes of 12 images of 16x16, and 4 for validation and test each."""

    def __init__(self):
        super().__init__(size=16)
        self._splits = None

    def class_names(self, root):
        return [str(c) for c in range(CLASSES)]

    def train_counts(self, root):
        return torch.full((CLASSES,), 12)

    def has_validation(self, root):
        return True

    def load(self, root):
        if self._splits is None:
            whole = super().load(root)
            parts = {"train": ("train", 0, 12), "val": ("train", 12, 16), "test": ("test", 0, 4)}
            self._splits = {
                name: _first(whole[split], start, stop)
                for name, (split, start, stop) in parts.items()
            }
        return self._splits


def _first(images, start, stop):
    rows = [torch.where(images.labels == c)[0][start:stop] for c in range(CLASSES)]
    return images.select(torch.cat(rows))


SOURCE = TinyDigits()


class Watch(L.Callback):
    """Notes the loss of every epoch and the gradients of every step."""

    def __init__(self):
        self.losses, self.moved = [], set()

    def on_after_backward(self, trainer, module):
        held = {id(p) for o in trainer.optimizers for g in o.param_groups for p in g["params"]}
        for name, parameter in module.named_parameters():
            if id(parameter) not in held:
                continue
            if parameter.grad is not None and bool((parameter.grad != 0).any()):
                self.moved.add(name)

    def on_train_epoch_end(self, trainer, module):
        self.losses.append(float(trainer.callback_metrics["train/loss"]))


@dataclass
class Fitted:
    method: type
    module: LongTailModule
    data: LongTailDataModule
    trainer: L.Trainer
    watch: Watch
    metrics: dict = field(default_factory=dict)  # what was logged in the fit

    @property
    def own_metrics(self):
        """Metrics of the splits beside those that all methods have."""
        return NEEDS.get(self.method.__name__, {}).get("metrics", set())


class Lab:
    """Makes data, modules and trainers; `fit` is the shortest way to a trained module."""

    def __init__(self, folder):
        self.folder = folder
        self._teacher = None
        self._fitted = {}

    def data(self, method=None, **options):
        streams = tuple(getattr(method, "streams", ()))
        needs = NEEDS.get(getattr(method, "__name__", ""), {})
        samplers = needs.get("samplers")
        if samplers is None and streams:
            samplers = {name: InstanceBalanced() for name in streams}
        settings = {
            "source": SOURCE,
            "profile": Exponential(imbalance_ratio=4),
            "group_rule": ShotGroups(many_above=8, few_below=5),
            "batch_size": 8,
            "samplers": samplers,
            "augment": None,
            "workers": 0,
            **needs.get("data", {}),
        }
        return LongTailDataModule(**{**settings, **options})

    def teacher(self):
        """Return the checkpoint of a trained network, with what `lt fit` keeps in one."""
        if self._teacher is None:
            self._teacher = str(self.folder / "teacher.ckpt")
            self.fitted(methods.ERM).trainer.save_checkpoint(self._teacher)
            content = torch.load(self._teacher, weights_only=True)
            given = content["hyper_parameters"]
            content["hyper_parameters"] = {
                **{key: given[key] for key in ("class_counts", "class_names")},
                "backbone": {"class_path": "lt_lightning.backbones.ResNetCIFAR", "init_args": TINY},
                "_class_path": "lt_lightning.methods.ERM",
                "_instantiator": "lightning.pytorch.cli.instantiate_module",
            }
            torch.save(content, self._teacher)
        return self._teacher

    def settings(self, method, data, **options):
        base = {
            "class_counts": data.class_counts.tolist(),
            "class_names": data.class_names,
            "groups": data.groups,
            "backbone": _tiny,
            "lr_schedule": CosineRecipe(),
        }
        if method is methods.PseudoLabel:
            base["teacher"] = self.teacher()
        return {**base, **NEEDS.get(method.__name__, {}).get("model", {}), **options}

    def module(self, method, data=None, **options):
        settings = self.settings(method, data or self.data(method), **options)
        torch.manual_seed(0)
        return method(**settings)

    def reloaded(self, fitted):
        """Return a fresh module with the weights of a fitted one, as from a checkpoint."""
        fresh = self.module(fitted.method, fitted.data)
        content = {"state_dict": fitted.module.state_dict()}
        fitted.module.on_save_checkpoint(content)
        fresh.on_load_checkpoint(content)
        fresh.load_state_dict(content["state_dict"])
        return fresh

    def trainer(self, *callbacks, **options):
        settings = {
            "accelerator": "cpu",
            "devices": 1,
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "log_every_n_steps": 1,
            "num_sanity_val_steps": 0,
            "default_root_dir": self.folder,
        }
        return L.Trainer(callbacks=list(callbacks), **{**settings, **options})

    def fitted(self, method):
        """Return the one fit of a method that many tests look at."""
        if method not in self._fitted:
            self._fitted[method] = self.fit(method, epochs=12, check_val_every_n_epoch=4)
        return self._fitted[method]

    def fit(self, method, *callbacks, data=None, model=None, ckpt_path=None, epochs=2, **trainer):
        """Train `epochs` epochs; a method in two stages has at least one epoch of each."""
        data = data or self.data(method)
        options, stages = dict(model or {}), getattr(method, "num_stages", 1)
        if stages == 2:
            epochs = max(epochs, 2)
            options.update(stage1_epochs=epochs - epochs // 2, stage2_epochs=epochs // 2)
        module = self.module(method, data, **options)
        watch = Watch()
        made = self.trainer(watch, *callbacks, max_epochs=epochs, **trainer)
        made.fit(module, datamodule=data, ckpt_path=ckpt_path, weights_only=True)
        metrics = {name: float(value) for name, value in made.callback_metrics.items()}
        return Fitted(method, module, data, made, watch, metrics)


@pytest.fixture(autouse=True)
def _run_seed(monkeypatch):
    monkeypatch.setenv(SEED, "0")


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture
def lab(shared_lab):
    return shared_lab


@pytest.fixture(scope="session", params=public_methods(), ids=lambda method: method.__name__)
def method(request):
    return request.param


# One of each kind, for what the base of all methods does.
OF_EACH_KIND = (methods.BBN, methods.Decoupled, methods.HybridContrastive, methods.SimSiam)


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(kind, id=kind.__name__, marks=[] if kind in OF_EACH_KIND else pytest.mark.slow)
        for kind in public_methods()
    ],
)
def method_of_each_kind(request):
    """Each method, and by default one of each kind."""
    return request.param


@pytest.fixture(
    params=[kind for kind in public_methods() if issubclass(kind, SelfSupervised)],
    ids=lambda method: method.__name__,
)
def without_labels(request):
    """Each method that trains without labels."""
    return request.param


@pytest.fixture(scope="session")
def fitted(method, shared_lab):
    """One fit of each method; its tests look at it and leave it as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SEED, "0")
        return shared_lab.fitted(method)


@pytest.fixture
def images():
    return _normalised(SOURCE.load(None)["test"])


def _normalised(images: MemoryImages):
    return images.images.float() / 127.5 - 1

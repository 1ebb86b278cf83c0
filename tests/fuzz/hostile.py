"""Values that no one should give, drawn by a seeded generator, and where to put them."""

import copy
import math
from random import Random
from typing import Any

import torch

DELETED = object()

# As a config file or an option writes them, not as Python has them.
WORDS = [
    *("null", "", "~", "{}", "[]", "true", "-1", "0", "1.5", "1e400", "-1e400", ".nan", ".inf"),
    *("9" * 30, "9" * 5000, "-" + "9" * 19, str(2**63), "0x" + "f" * 40, "1e-400", "1_0", "٣"),
    *("x", "os.system", "builtins.eval", "torch.nn.Linear", "lt_lightning.methods.ERM", "LDAM"),
    *("\u202e", "\U0001f408" * 9, "a" * 9000, "'", '"', "{", "[", "a: b: c", "!x", "!!int x", "*a"),
    *("{a: &a [*a]}", "{a: {a: {a: 1}}}", "[1, [2, [3]]]", "{class_path: 3}", "[[]]"),
    *("{class_path: x.Y}", "{init_args: {}}", "{class_path: [], init_args: 3}", "[null]"),
    *("/dev/zero", "/", ".", "..", "/nowhere", "-", "--", "@x", "\t", "${HOME}", "%s", "1:2"),
    "{class_path: os.system, init_args: {command: ls}}", "[" * 500 + "]" * 500, "2026-13-45",
]  # fmt: skip
VALUES: list[Any] = [
    DELETED, None, "", "x", -1, 0, 1, 10**9, 2**62, 2**70, -0.5, math.nan, math.inf, True, [], {},
    [None], {"a": 1}, {"class_path": "os.system"}, "os.system", "a" * 9000, [[]], [1] * 99,
    {1: 2}, {None: 1}, -(2**70), 1e308, "NaN", "/dev/zero", "2" * 400,
]  # fmt: skip
TENSORS: list[Any] = [
    torch.zeros(0), torch.full((3,), math.nan), torch.ones(1).expand(10**9), torch.tensor(math.inf),
    torch.zeros(1, dtype=torch.complex64), torch.zeros(2, 2).int(),
]  # fmt: skip


def places(content: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all parts of a tree of mappings and lists, the deep ones too."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(content, dict):
        inner = list(content.items())
    elif isinstance(content, list):
        inner = list(enumerate(content))[:5]
    found = []
    for key, value in inner:
        found += [(*above, key), *places(value, (*above, key))]
    return found


def changed(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return a copy in which the part at `place` is another, or gone."""
    new = copy.deepcopy(content)
    *above, last = place
    part = new
    for key in above:
        part = part[key]
    if value is DELETED:
        del part[last]
    else:
        part[last] = value
    return new


def any_place(random: Random, content: Any) -> tuple[Any, ...]:
    """Return a path; each level of the tree is as likely as another."""
    found = places(content)
    depth = random.choice(sorted({len(place) for place in found}))
    return random.choice([place for place in found if len(place) == depth])


def damaged(random: Random, text: bytes) -> bytes:
    """Return bytes that were cut, or have something in them."""
    at = random.randrange(len(text) + 1)
    more = random.choice(
        [b"\0", b"\xff\xfe", b"\t", b"[" * 9999, b"&a [*a]", b"!!python/name:os.system", b"<<: 3\n",
         b"\xef\xbb\xbf", b"? [a]\n", b"- - -", b"%YAML 9\n", b"#" + b"x" * 5_000_000, b"9" * 5000]
    )  # fmt: skip
    wide = text.decode().encode("utf-16")
    return random.choice([text[:at], text[:at] + more + text[at:], more + text, text[at:], wide])


def calls(canary: str) -> list[Any]:
    """Return what would make the file `canary`, were it called when a config is read."""
    touch = f"touch {canary}"
    write = f"open({canary!r}, 'w')"
    named = [
        ("os.system", {"command": touch}),
        ("posix.system", {"command": touch}),
        ("os.mkdir", {"path": canary}),
        ("os.open", {"path": canary, "flags": 65}),
        ("subprocess.run", {"args": ["touch", canary]}),
        ("subprocess.Popen", {"args": ["touch", canary]}),
        ("subprocess.check_output", {"args": touch, "shell": True}),
        ("builtins.eval", {"source": write}),
        ("builtins.exec", {"source": write}),
        ("builtins.open", {"file": canary, "mode": "w"}),
        ("io.FileIO", {"file": canary, "mode": "w"}),
        ("pathlib.Path.touch", {"self": canary}),
        ("functools.partial", {"func": "os.system", "args": [touch]}),
        ("shutil.copyfile", {"src": "/etc/hostname", "dst": canary}),
        ("runpy.run_path", {"path_name": canary}),
        ("timeit.timeit", {"stmt": write}),
        ("logging.FileHandler", {"filename": canary}),
        ("torch.save", {"obj": 1, "f": canary}),
        ("torch.hub.load", {"repo_or_dir": canary, "model": "x"}),
        ("numpy.save", {"file": canary, "arr": [1]}),
        ("numpy.memmap", {"filename": canary, "mode": "w+", "shape": 3}),
        ("torch.utils.cpp_extension.load", {"name": "x", "sources": [canary]}),
        ("lt_lightning.runs.files.write_whole", {"file": canary, "content": "x"}),
        ("lt_lightning.cli.main", {"argv": ["methods"]}),
        ("torch.nn.Linear", {"in_features": 1, "out_features": 1}),
        (
            "lightning.pytorch.callbacks.LambdaCallback",
            {"on_fit_start": "os.system", "setup": {"class_path": "os.mkdir", "init_args": canary}},
        ),
    ]
    full = [{"class_path": path, "init_args": options} for path, options in named]
    loose = [{"class_path": path, **options} for path, options in named]
    return [*full, *loose, *(path for path, _ in named), *({"class_path": p} for p, _ in named)]


# Every option that takes a class, as the file of a run or the hyper-parameters have it.
OF_MODEL = (
    "loss", "head", "backbone", "optimizer", "lr_schedule", "deferral", "deferred_loss", "mixing",
    "mixing_schedule", "deferred_weights",
)  # fmt: skip
OF_DATA = (
    "source", "profile", "sampler", "samplers", "augment", "augments", "group_rule", "holdout",
    "normalize", "unlabelled",
)  # fmt: skip
OF_TRAINER = ("callbacks", "logger", "strategy", "accelerator", "plugins", "profiler", "precision")
GROUPS = (("model", OF_MODEL), ("data", OF_DATA), ("trainer", OF_TRAINER))

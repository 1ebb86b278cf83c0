"""Every public class says what it is, where it is published, and what its arguments mean."""

import ast
import dataclasses
import inspect
import re

import pytest

from lt_lightning import (
    augment,
    backbones,
    data,
    heads,
    losses,
    methods,
    post_hoc,
    samplers,
    tuning,
)
from lt_lightning.recipes import BBNRecipe, BoTRecipe, CosineRecipe, LDAMRecipe, MiSLASRecipe

PACKAGES = (augment, backbones, data, heads, losses, methods, post_hoc, samplers, tuning)
RECIPES = (BBNRecipe, BoTRecipe, CosineRecipe, LDAMRecipe, MiSLASRecipe)

# Parts of the house, which no paper has: bases, containers, and what reads or deals out data.
WITHOUT_PAPER = {
    *("AsIs", "BatchTransform", "ClassIndex", "Compose", "EpochSampler", "FileImages"),
    *("Holdout", "ImageFolder", "ImageList", "ImageSet", "ImageTable", "LongTailDataModule"),
    *("MemoryImages", "Mixed", "MixedInside", "Normalize", "Unlabelled", "UnlabelledFolder"),
}


def _abstract(kind):
    return any(getattr(getattr(kind, name, 0), "__isabstractmethod__", 0) for name in dir(kind))


def _public():
    found = list(RECIPES)
    for package in PACKAGES:
        found += [getattr(package, name) for name in package.__all__]
    return sorted({kind for kind in found if inspect.isclass(kind)}, key=lambda kind: kind.__name__)


CLASSES = _public()
IDS = [kind.__name__ for kind in CLASSES]


def _sections(kind):
    """Return the docstring cut into paragraphs."""
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")


def _arguments(kind):
    """Return the names that the Args section explains; of a data class also its Attributes."""
    heads = ("Args:", "Attributes:") if dataclasses.is_dataclass(kind) else ("Args:",)
    for paragraph in _sections(kind):
        if paragraph.startswith(heads):
            return re.findall(r"^    (\w+):", paragraph, flags=re.MULTILINE)
    return []


def _parameters(kind):
    """Return what the constructor of the class takes, and what of it is its own."""
    owner = next(base for base in kind.__mro__ if "__init__" in vars(base))
    if not owner.__module__.startswith("lt_lightning"):
        return [], []
    names = [name for name in inspect.signature(owner.__init__).parameters if name != "self"]
    if owner is not kind:
        return names, []
    if dataclasses.is_dataclass(kind):
        return names, [name for name in names if name in vars(kind).get("__annotations__", {})]
    return names, names


@pytest.mark.parametrize("kind", CLASSES, ids=IDS)
def test_docstring_begins_with_one_line(kind):
    assert "__doc__" in vars(kind), "no docstring of its own"
    first = _sections(kind)[0]
    assert "\n" not in first
    assert first.endswith((".", ":"))
    assert 10 < len(first) <= 100


@pytest.mark.parametrize(
    "kind",
    [k for k in CLASSES if not _abstract(k) and k.__name__ not in WITHOUT_PAPER],
    ids=lambda kind: kind.__name__,
)
def test_remedy_names_its_paper(kind):
    papers = [text for text in _sections(kind) if text.startswith("Paper: ")]
    assert len(papers) == 1
    assert len(papers[0]) > 20


@pytest.mark.parametrize("kind", CLASSES, ids=IDS)
def test_every_argument_is_explained_and_no_other(kind):
    explained = _arguments(kind)
    if _abstract(kind) and not explained:
        return
    names, own = _parameters(kind)
    assert [name for name in names if name in explained] == explained
    assert set(explained) >= set(own)


def test_names_without_a_paper_are_public_classes_without_one():
    assert set(IDS) >= WITHOUT_PAPER
    for kind in CLASSES:
        if kind.__name__ in WITHOUT_PAPER:
            assert not any(text.startswith("Paper: ") for text in _sections(kind)), kind


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_all_lists_what_the_package_imports(package):
    tree = ast.parse(inspect.getsource(package))
    imported = {
        (name.asname or name.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert set(package.__all__) == imported

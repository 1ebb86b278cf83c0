"""How far from the classifier each parameter of a network is, in blocks."""

from collections import Counter
from collections.abc import Iterator

from torch import nn


def by_depth(network: nn.Module) -> list[tuple[int, list[nn.Parameter]]]:
    """Return (blocks up to the classifier, parameters), nearest first; each parameter once.

    A block is one of the alike modules that make most of a row (the blocks of a ViT, of a stage of
    a ResNet, the layers of a dense block); what lies inside it is no further block.
    What stands between two blocks goes with the one behind it; what follows the last one has
    distance 0, and what stands before the first one a block more than that.
    """
    depths: dict[int, list[nn.Parameter]] = {}
    blocks = 0
    seen = set[int]()
    for parameters, is_block in _walk(network):
        blocks += is_block
        depth = blocks if is_block or blocks == 0 else blocks + 1
        for parameter in parameters:
            if id(parameter) not in seen:
                seen.add(id(parameter))
                depths.setdefault(depth, []).append(parameter)
    return [(blocks + 1 - depth, depths[depth]) for depth in sorted(depths, reverse=True)]


def _walk(module: nn.Module) -> Iterator[tuple[list[nn.Parameter], bool]]:
    """Yield the parameters of each block and of what is none, from the images on."""
    yield list(module.parameters(recurse=False)), False
    kind = _block_of(module)
    for child in module.children():
        if type(child) is kind:
            yield list(child.parameters()), True
        else:
            yield from _walk(child)


def _block_of(module: nn.Module) -> type[nn.Module] | None:
    """Return the kind of composite modules that makes most of a row, none where it is no row."""
    if not isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict):
        return None
    parts = list(module.children())
    kinds = Counter(type(part) for part in parts if any(True for _ in part.children()))
    for holder in (nn.Sequential, nn.ModuleList, nn.ModuleDict):
        kinds.pop(holder, None)
    kind, count = next(iter(kinds.most_common(1)), (None, 0))
    return kind if 2 * count > len(parts) else None

"""How far from the classifier each parameter of a network is, in blocks."""

from collections.abc import Iterator

from torch import nn


def by_depth(network: nn.Module) -> list[tuple[int, list[nn.Parameter]]]:
    """Return (blocks up to the classifier, parameters), nearest first; each parameter once.

    A block is an element of a row of alike modules (the blocks of a ViT, of a stage of a ResNet).
    What stands between two blocks goes with the one behind it; what follows the last one has
    distance 0, and what stands before the first one a block more than that.
    """
    depths: dict[int, list[nn.Parameter]] = {}
    blocks = 0
    seen = set[int]()
    for parameters, is_block in _walk(network, in_row=False):
        blocks += is_block
        depth = blocks if is_block or blocks == 0 else blocks + 1
        for parameter in parameters:
            if id(parameter) not in seen:
                seen.add(id(parameter))
                depths.setdefault(depth, []).append(parameter)
    return [(blocks + 1 - depth, depths[depth]) for depth in sorted(depths, reverse=True)]


def _walk(module: nn.Module, in_row: bool) -> Iterator[tuple[list[nn.Parameter], bool]]:
    """Yield the parameters of each block and of what is none, from the images on."""
    if not any(_is_row(part) for part in module.modules()):
        yield list(module.parameters()), in_row
        return
    yield list(module.parameters(recurse=False)), False
    for child in module.children():
        yield from _walk(child, _is_row(module))


def _is_row(module: nn.Module) -> bool:
    """Return whether a module is a row of composite modules of one kind."""
    if not isinstance(module, nn.Sequential | nn.ModuleList):
        return False
    kinds = {type(part) for part in module}
    composite = all(len(list(part.children())) > 0 for part in module)
    holder = kinds & {nn.Sequential, nn.ModuleList}
    return len(kinds) == 1 and composite and not holder

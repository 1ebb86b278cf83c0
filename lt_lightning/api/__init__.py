"""The library calls of `import lt_lightning as lt`: what the command does, without a command line.

Each goes the way of its command, so that a run is the same whoever began it. A mistake is a
`UserError` with one sentence; nothing leaves the process.
"""

from lt_lightning.api.predictions import Predictions
from lt_lightning.api.results import ClassResult, Evaluation, GroupResult, Results
from lt_lightning.api.run import Run, load_run
from lt_lightning.api.training import fit

__all__ = [
    "ClassResult",
    "Evaluation",
    "GroupResult",
    "Predictions",
    "Results",
    "Run",
    "fit",
    "load_run",
]

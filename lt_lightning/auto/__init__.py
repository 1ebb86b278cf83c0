"""From pictures to a model in a given time: the order of steps, their cost, and the choice.

Every step is a command of `lt` and leaves an ordinary run folder; whoever begins a course says how
such a command is run.
"""

from lt_lightning.auto.choice import Choice, Score, choose, difference, score
from lt_lightning.auto.course import Course
from lt_lightning.auto.record import Record
from lt_lightning.auto.steps import SIMPLEST_FIRST, STEPS, Step
from lt_lightning.auto.works import HeldOut, Works

__all__ = [
    "SIMPLEST_FIRST",
    "STEPS",
    "Choice",
    "Course",
    "HeldOut",
    "Record",
    "Score",
    "Step",
    "Works",
    "choose",
    "difference",
    "score",
]

"""A loss, a sampler and a method for lt_lightning, in a package of their own."""

from my_method.loss import PartlyBalancedSoftmax
from my_method.method import TwoDraws
from my_method.sampler import PartlyBalanced

__all__ = ["PartlyBalanced", "PartlyBalancedSoftmax", "TwoDraws"]

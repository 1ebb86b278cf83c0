"""What `lt test RUN --post_hoc NAME` may apply."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lt_lightning.data import LongTailDataModule
from lt_lightning.methods import LongTailModule


class PostHoc(ABC):
    """A change of a finished model without training.

    A knob is given, or fitted on held-out or training images; never on the test split.

    Attributes:
        curve: the macro accuracy at each tau that was tried, on the images it was fitted on; empty
            where it was given, and for other knobs.
        fitted_on: the images that a knob was fitted on, "held-out" or "training"; none where it
            was given.
    """

    curve: Mapping[float, float] = MappingProxyType({})
    fitted_on: str | None = None

    @abstractmethod
    def apply(self, model: LongTailModule, data: LongTailDataModule) -> None:
        """Change `model`, which has its trained weights, in place; `data` has been set up.

        Raises:
            UserError: if the change does not go with this model, or has nothing to be fitted on.
        """

    def options(self) -> dict[str, Any]:
        """Return the class and its options, for the record of the results."""
        plain = (str, int, float, bool, type(None))
        own = {name: value for name, value in vars(self).items() if isinstance(value, plain)}
        return {"class": type(self).__name__, **own}

    @abstractmethod
    def describe(self) -> str:
        """Return the name and the values used, for the record of the results."""

"""What `lt test RUN --post_hoc NAME` may apply."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from torch import Tensor

from lt_lightning.data import LongTailDataModule
from lt_lightning.engine.changes import Change, put_one
from lt_lightning.engine.hyper_parameters import is_plain
from lt_lightning.methods import LongTailModule
from lt_lightning.runs.class_path import is_outside


class PostHoc(Change):
    """A change of a finished model without training.

    A knob is given, or fitted on held-out or training images; never on the test split.

    Attributes:
        on_held_out: whether what is not given is fitted on held-out images.
        curve: the macro accuracy at each tau that was tried, on the images it was fitted on; empty
            where it was given, and for other knobs.
        fitted_on: the images that a knob was fitted on, "held-out" or "training"; none where it
            was given.
    """

    on_held_out: bool = False
    curve: Mapping[float, float] = MappingProxyType({})
    fitted_on: str | None = None

    def refuse(self, model: LongTailModule) -> None:
        """Refuse a model that the change does not go with, also before it is trained.

        Raises:
            UserError: if it does not.
        """

    def check(self, model: LongTailModule) -> None:
        """Refuse a model that the change does not go with, before anything is fitted."""
        self.refuse(model)

    def needs_held_out(self) -> bool:
        """Return whether its values are fitted on held-out images: it is so, and none are given."""
        return self.on_held_out and self.given() is None

    def given(self) -> dict[str, Tensor] | None:
        """Return the values where the options say all of them, none where data are needed."""
        return None

    def of_files(self, class_names: Sequence[str]) -> dict[str, Tensor]:
        """Return the values that files say, which may be others than in an earlier test.

        Args:
            class_names: of the run, in label order.

        Raises:
            UserError: if a file cannot be read, or is not of these classes.
        """
        return {}

    @abstractmethod
    def fit(self, model: LongTailModule, data: LongTailDataModule) -> dict[str, Tensor]:
        """Return the values, worked out on data; the model stays as it is.

        Raises:
            UserError: if there is nothing to fit them on.
        """

    def apply(self, model: LongTailModule, data: LongTailDataModule) -> dict[str, Tensor]:
        """Change `model`, which has its trained weights, in place, and return the values.

        Args:
            model: the model.
            data: its data, which were set up.

        Raises:
            UserError: if the change does not go with this model, or has nothing to be fitted on.
        """
        self.check(model)
        given = self.given()
        values = self.fit(model, data) if given is None else given
        put_one(model, self, values)
        return values

    def options(self) -> dict[str, Any]:
        """Return the class and its options, for the record of the results.

        A class from outside has its path, for its name alone says not which one it is.
        """
        kind = type(self)
        path = f"{kind.__module__}.{kind.__qualname__}" if is_outside(kind) else kind.__name__
        named = vars(self).items()
        return {"class": path, **{key: value for key, value in named if is_plain(value)}}

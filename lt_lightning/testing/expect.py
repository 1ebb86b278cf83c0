"""Assertions with a message."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from lt_lightning.cli.words.errors import explain
from lt_lightning.errors import UserError, one_sentence


def that(condition: bool | Tensor, message: str) -> None:
    """Raise AssertionError with `message` unless `condition` holds."""
    if not bool(condition):
        raise AssertionError(message)


def close(got: Tensor, want: Tensor, message: str, *, rtol: float = 1e-5) -> None:
    """Raise AssertionError with `message` and both values unless they are close."""
    that(
        got.shape == want.shape and torch.allclose(got, want, rtol=rtol, atol=1e-6),
        f"{message}: got {got.detach().tolist()}, not {want.detach().tolist()}",
    )


@contextmanager
def promised() -> Iterator[None]:
    """Raise what ends a check within as the AssertionError that a contract ends with."""
    try:
        yield
    except AssertionError:
        raise
    except Exception as error:  # of the class that is checked, which may raise anything
        told = explain(error) or f"{type(error).__name__}: {one_sentence(str(error))}"
        raise AssertionError(told) from error


class refused:
    """The context in which a UserError must be raised, in one sentence.

    Args:
        what: the mistake, for the message.
    """

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        """Enter."""

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> bool:
        """Take the error, or say that there was none."""
        if error is not None and not isinstance(error, UserError):
            return False
        that(error is not None, f"{self.what} is not refused with a UserError")
        that("\n" not in str(error), f"{self.what} is refused in more than one line: {error}")
        return True


class untouched_generator:
    """The context that must leave the global random generator as it was."""

    def __enter__(self) -> None:
        """Keep its state."""
        self.state = torch.get_rng_state()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        """Compare."""
        if error is None:
            that(
                torch.equal(self.state, torch.get_rng_state()),
                "the global random generator was used: draw from the given one alone",
            )

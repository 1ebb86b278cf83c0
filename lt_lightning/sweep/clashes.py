"""What a row must leave to its sweep, looked for in its parsed config, however it was written."""

from collections.abc import Mapping
from typing import Any

from lt_lightning.errors import Refused
from lt_lightning.sweep.spec import RATIO, Row

_ABOVE = ("data", "data.profile")  # options that bring a ratio with them


def may_set_ratio(row: Row) -> bool:
    """Return whether an option of a row, which counts over a ratio of the sweep, may bring one."""
    keys = [key.rstrip("+") for key, _ in row.options]
    return any(key in _ABOVE or key.startswith(f"{_ABOVE[1]}.") for key in keys)


def check(row: Row, ratio: str, config: Mapping[str, Any]) -> None:
    """Refuse a row that says what the sweep says to each of its runs.

    Args:
        row: the row.
        ratio: that the sweep gives, or nothing.
        config: the full config of the row at that ratio.

    Raises:
        Refused: if it goes on with a run, or has a ratio of its own.
    """
    going_on = config.get("ckpt_path")
    if going_on is not None:
        raise Refused(
            f"The row {row.name} has ckpt_path {str(going_on)[:80]}: leave it out of its files, "
            "and start the sweep again to go on with its runs."
        )
    data = config.get("data")
    if not ratio or not isinstance(data, Mapping) or "profile" not in data:
        return
    found = _ratio(data["profile"])
    if found != float(ratio):
        raise Refused(
            f"The row {row.name} sets {RATIO} to {_told(found)} beside ratios, and that would be "
            f"the one of ratio {ratio} too: give one of both."
        )


def _ratio(profile: Any) -> float | None:
    """Return the ratio of a profile as a config holds it, or none where it has none."""
    if not isinstance(profile, Mapping):
        return None
    options = {**(profile.get("dict_kwargs") or {}), **(profile.get("init_args") or {})}
    found = options.get("imbalance_ratio")
    return float(found) if isinstance(found, int | float) else None


def _told(ratio: float | None) -> str:
    return "none" if ratio is None else f"{ratio:g}"

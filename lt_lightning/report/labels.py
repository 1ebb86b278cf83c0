"""What the rows of a table are called: by what was trained, no two alike."""

from collections.abc import Sequence

from lt_lightning.report.earlier import OTHER_STAGE
from lt_lightning.report.options import EARLIER
from lt_lightning.report.setting import Setting

_SHOWN_KEYS = 2
_SHOWN_LENGTH = 44


def labels(settings: Sequence[tuple[Setting, str]]) -> dict[Setting, str]:
    """Return a name for each setting, which no two of them share.

    The base alone where it says enough; else with the options that differ, if they are few; else
    with the name of the run.

    Args:
        settings: each with the name of one of its runs.
    """
    families: dict[str, dict[Setting, str]] = {}
    for setting, run_name in settings:
        families.setdefault(setting.name, {}).setdefault(setting, run_name)
    found: dict[Setting, str] = {}
    for base, members in families.items():
        found.update(_apart(base, members))
    return found


def _apart(base: str, members: dict[Setting, str]) -> dict[Setting, str]:
    if len(members) == 1:
        return {setting: _alone(base, setting) for setting in members}
    texts = {setting: _differences(setting, list(members)) for setting in members}
    short = all(len(text) <= _SHOWN_LENGTH for text in texts.values())
    if not short or len(set(texts.values())) < len(members):
        texts = dict(members)
    if len(set(texts.values())) < len(members):
        texts = {s: f"{name} #{k + 1}" for k, (s, name) in enumerate(members.items())}
    return {s: text if text.startswith(base) else _joined(base, text) for s, text in texts.items()}


def _alone(base: str, setting: Setting) -> str:
    """Return the base, with what makes it another method than the package's file of its name."""
    keys = sorted({*setting.unexplained, *setting.made_other})
    if not keys:
        return base
    text = _words(setting, keys)
    return _joined(base, text if len(text) <= _SHOWN_LENGTH else "changed")


def _joined(base: str, text: str) -> str:
    return f"{base} {text}" if text.startswith("after ") else f"{base}, {text}"


def _differences(setting: Setting, others: Sequence[Setting]) -> str:
    """Return the options in which the settings differ, with this one's values."""
    all_values = [dict(other.values) for other in others]
    keys = sorted({key for values in all_values for key in values})
    return _words(setting, [k for k in keys if len({values.get(k) for values in all_values}) > 1])


def _words(setting: Setting, keys: Sequence[str]) -> str:
    """Return options in words, or a text that is too long to be shown."""
    # Where a class differs its own options differ as well, and say nothing more.
    top = [key for key in keys if not any(key.startswith(f"{other}.") for other in keys)]
    if len(top) > _SHOWN_KEYS:
        return "x" * (_SHOWN_LENGTH + 1)
    mine = dict(setting.values)
    return ", ".join(_told(key, mine.get(key)) for key in top)


def _told(key: str, value: str | None) -> str:
    """Return an option in words."""
    if key == "pretrain":
        return "other pre-training"
    if key == OTHER_STAGE:
        return "other first stage"
    if key in EARLIER and value is not None:
        return f"after {value}"
    return f"{key.rsplit('.', 1)[-1]} {value or 'none'}"

"""`lt completion SHELL`: what a shell asks while a command line is typed; it needs no torch."""

import ast
from collections.abc import Sequence
from pathlib import Path

from lt_lightning.cli.words.catalog import PACKAGE, exported
from lt_lightning.errors import Refused
from lt_lightning.runs import config_files, packaged
from lt_lightning.runs.yaml_file import read_yaml
from lt_lightning.sweep.spec import FOLDER as SWEEPS

HELP = """\
lt completion bash|zsh|fish: complete commands, options, classes, configs and runs by the tab key

  eval "$(lt completion bash)"      in ~/.bashrc
  eval "$(lt completion zsh)"       in ~/.zshrc, after compinit
  lt completion fish | source       in ~/.config/fish/config.fish"""

_BASH = """\
_lt() {
  local IFS=$'\\n'
  COMPREPLY=($(lt completion words "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null))
}
complete -o default -o nosort -F _lt lt"""
_FISH = """\
complete -c lt -a \
'(lt completion words (count (commandline -opc)) (commandline -opc) (commandline -ct))'"""
_SCRIPTS = {
    "bash": _BASH,
    "zsh": f"autoload -U +X bashcompinit && bashcompinit\n{_BASH.replace(' -o nosort', '')}",
    "fish": _FISH,
}
_CLASSES = {
    "--model": "methods",
    "--model.loss": "losses",
    "--model.loss.weights": "losses",
    "--model.stage2_loss": "losses",
    "--model.head": "heads",
    "--model.classifier": "heads",
    "--model.backbone": "backbones",
    "--model.tuning": "tuning",
    "--data.sampler": "samplers",
    "--data.source": "data",
    "--data.profile": "data",
    "--post_hoc": "post_hoc",
}
# Of the run and of LightningCLI; they stand in no config.
_OF_LIGHTNING = (
    "--config", "--name", "--version", "--runs", "--ckpt_path", "--print_config", "--help",
)  # fmt: skip
_CONFIGS = ("--config", "-c", "--configs", "--over")
_BY_LIGHTNING = ("fit", "test", "validate", "calibrate")
_OF_RUNS = ("test", "validate", "calibrate", "cam", "predict", "export", "report", "dashboard")


def completion(arguments: Sequence[str], commands: Sequence[str]) -> str:
    """Answer `lt completion ...`: the lines for a shell, or what can stand at a place.

    Args:
        arguments: a shell; or `words`, the place that is typed at, and all words.
        commands: of `lt`.

    Raises:
        Refused: if they are not understood.
    """
    if len(arguments) == 1 and arguments[0] in _SCRIPTS:
        return _SCRIPTS[arguments[0]]
    if len(arguments) > 2 and arguments[0] == "words" and arguments[1].isdecimal():
        place = int(arguments[1])
        words = [*arguments[2:], ""]
        if 0 < place < len(words):
            return "\n".join(candidates(words[1 : place + 1], commands))
    shells = ", ".join(_SCRIPTS)
    raise Refused(f"lt completion was given {' '.join(arguments)!r}: give one of {shells}.")


def candidates(words: Sequence[str], commands: Sequence[str]) -> list[str]:
    """Return what the last word can become.

    Args:
        words: after `lt`; the last one is being typed, and may be empty.
        commands: of `lt`.
    """
    *before, typed = words
    if not before:
        found = list(commands)
    elif typed.startswith("-"):
        found = options_of(before[0])
    else:
        found = _values(before[0], before[1:])
    return sorted({word for word in found if word.startswith(typed)})


def options_of(command: str) -> list[str]:
    """Return the options of a command; of those of LightningCLI the ones that configs have."""
    if command in _BY_LIGHTNING:
        return [*_OF_LIGHTNING, *_keys_of_configs()]
    folder = PACKAGE / "report" if command == "report" else PACKAGE / "cli" / "commands"
    file = folder / ("command.py" if command == "report" else f"{command}.py")
    return [*_named_in(file), "--help"] if file.is_file() else []


def _named_in(file: Path) -> list[str]:
    """Return the options that a file of the source adds, without importing it."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        first = (*node.args, None)[0] if isinstance(node, ast.Call) else None
        called = node.func if isinstance(node, ast.Call) else None
        adds = isinstance(called, ast.Name) and called.id == "add"
        adds = adds or (isinstance(called, ast.Attribute) and called.attr == "add_argument")
        if adds and isinstance(first, ast.Constant) and str(first.value).startswith("--"):
            found.append(str(first.value))
    return found


def _keys_of_configs() -> list[str]:
    found: dict[str, None] = {}
    for name, file in packaged.configs().items():
        if not name.startswith(f"{SWEEPS}/"):
            found.update(dict.fromkeys(config_files.keys(read_yaml(file))))
    return [f"--{key}" for key in found]


def _values(command: str, before: Sequence[str]) -> list[str]:
    """Return what can stand after these words, where that is no option and no file."""
    option = next((word for word in reversed(before) if word.startswith("-")), "")
    after = before[-1] if before else ""
    if option in ("--configs", "--over") or after in _CONFIGS:
        return [name for name in packaged.configs() if not name.startswith(f"{SWEEPS}/")]
    if after in _CLASSES:
        return exported(_CLASSES[after])
    if before:
        return _later(command, before)
    if command in _OF_RUNS:
        return _runs()
    names = [name.removeprefix(f"{SWEEPS}/") for name in packaged.configs() if SWEEPS in name]
    first = {"sweep": names, "configs": ["show", "copy"], "data": ["check"]}
    return first.get(command, list(_SCRIPTS) if command == "completion" else [])


def _later(command: str, before: Sequence[str]) -> list[str]:
    if command == "configs" and before[0] in ("show", "copy"):
        return list(packaged.configs())
    several = command in ("report", "dashboard") and not before[-1].startswith("-")
    return _runs() if several else []


def _runs() -> list[str]:
    return [str(file.parent) for file in sorted(Path("runs").glob("*/*/config.yaml"))]

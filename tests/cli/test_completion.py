"""`lt completion`: what the tab key completes, without torch."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lt_lightning.cli.commands.completion import candidates, options_of
from lt_lightning.cli.front import COMMANDS
from tests.cli.conftest import Answer


@pytest.mark.parametrize(
    ("words", "some"),
    [
        ([""], set(COMMANDS)),
        (["pre"], {"predict"}),
        (["fit", "--config", "ce"], {"ce", "ce_drw"}),
        (["fit", "--config", "data/"], {"data/digits", "data/cifar10"}),
        (["fit", "--config", "ce", "--config", "trainer/q"], {"trainer/quick"}),
        (["fit", "--model", "B"], {"BBN", "BCL"}),
        (["fit", "--model.loss", "LD"], {"LDAM"}),
        (["fit", "--trainer.max_e"], {"--trainer.max_epochs"}),
        (["fit", "--vers"], {"--version"}),
        (["predict", "--ima"], {"--images"}),
        (["report", "--fe"], {"--features"}),
        (["sweep", "su"], {"survey"}),
        (["sweep", "--configs", "ce", "bb"], {"bbn"}),
        (["configs", ""], {"show", "copy"}),
        (["configs", "copy", "bb"], {"bbn"}),
        (["data", ""], {"check"}),
        (["export", "RUN", "--fo"], {"--format"}),
        (["nonsense", "--a"], set()),
        (["fit", ""], set()),
    ],
)
def test_candidates(words: list[str], some: set[str]) -> None:
    found = candidates(words, COMMANDS)
    assert some <= set(found)
    assert bool(found) == bool(some)
    assert all(word.startswith(words[-1]) for word in found)


def test_runs_are_found(lt: Callable[[str], Answer]) -> None:
    for run in ("a/0", "a/1", "b/0"):
        folder = Path("runs") / run
        folder.mkdir(parents=True)
        (folder / "config.yaml").touch()
    answer = lt("completion words 2 lt predict runs/a")
    assert (answer.status, answer.out) == (0, "runs/a/0\nruns/a/1\n")
    assert lt("completion words 3 lt report runs/a/0").out == "runs/a/0\nruns/a/1\nruns/b/0\n"


def test_options_are_those_of_the_parser() -> None:
    from lt_lightning.cli.words.arguments import CommandParser

    wanted: dict[str, set[str]] = {}
    for command in ("predict", "export", "cam", "sweep"):
        with pytest.MonkeyPatch.context() as patch:

            def stop(parser: CommandParser, *_: object, name: str = command) -> None:
                wanted[name] = {flag for flag in parser._option_string_actions if flag[:2] == "--"}
                raise SystemExit

            patch.setattr(CommandParser, "parse_args", stop)
            module = __import__(f"lt_lightning.cli.commands.{command}", fromlist=[command])
            with pytest.raises(SystemExit):
                getattr(module, command)([])
    for command, options in wanted.items():
        assert set(options_of(command)) == options, command


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_lines_for_a_shell(lt: Callable[[str], Answer], shell: str) -> None:
    answer = lt(f"completion {shell}")
    assert answer.status == 0
    assert "lt completion words" in answer.out


@pytest.mark.parametrize("words", ["", "tcsh", "words", "words x lt", "words 0 lt", "words 9 lt"])
def test_other_words_are_refused(lt: Callable[[str], Answer], words: str) -> None:
    answer = lt(f"completion {words}")
    assert (answer.status, answer.out) == (2, "")
    assert "give one of bash, zsh, fish" in answer.err


def test_bash_takes_the_lines(lt: Callable[[str], Answer], tmp_path: Path) -> None:
    script = tmp_path / "lt.sh"
    fake = f'lt() {{ "{sys.executable}" -m lt_lightning "$@"; }}\n'
    asks = 'COMP_WORDS=(lt conf); COMP_CWORD=1; _lt; echo "${COMPREPLY[@]}"\n'
    script.write_text(f"{fake}{lt('completion bash').out}{asks}", encoding="utf-8")
    done = subprocess.run(["bash", str(script)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("configs\n", "")


def test_it_needs_no_torch() -> None:
    program = (
        "import sys; from lt_lightning.cli import main; "
        "main(['completion', 'words', '2', 'lt', 'fit', '--']); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)

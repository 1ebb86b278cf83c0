"""`lt sweep`: a table of runs, planned, run and gone on with."""

import argparse
import contextlib
import io
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from lt_lightning.cli.words.arguments import CommandParser
from lt_lightning.errors import Refused, UserError
from lt_lightning.report.command import report
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import packaged
from lt_lightning.runs.yaml_file import load_text
from lt_lightning.sweep import text
from lt_lightning.sweep.begun import check_begun
from lt_lightning.sweep.board import Board
from lt_lightning.sweep.cost import Cost, measure
from lt_lightning.sweep.job import PAGE, Job
from lt_lightning.sweep.local import Local, Terms
from lt_lightning.sweep.plan import plan
from lt_lightning.sweep.record import Record, read_record, renewed
from lt_lightning.sweep.slurm import submit
from lt_lightning.sweep.spec import Group, digest, groups_of, read_spec
from lt_lightning.sweep.state import Kind
from lt_lightning.sweep.weights import check_tests

log = logging.getLogger("lt_lightning")
_USAGE = "lt sweep FILE.yaml, or lt sweep --configs ce bbn --data cifar10 --ratios 100 --seeds 0 1"
_EPILOG = """\
A sweep lies in runs/NAME/: its runs, logs/, sweep.json. Started again it goes on: finished runs are
passed over, interrupted ones gone on with, failed ones tried again. Ctrl-C lets the runs save their
state; after a kill nothing is lost either. The table at the end is that of its runs, and
`lt report runs/NAME/*/seed*/` that of all that lie there."""
# What is for some ways to start runs alone, and what tells which way is asked for.
_OF_LAUNCHER = {"jobs": "local", "nice": "local", "slurm": "slurm"}
_OF_PLAN = ("configs", "data", "ratios", "seeds", "over", "post_hoc", "set")


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(_USAGE, __doc__, _EPILOG)
    add = parser.add_argument
    add("file", nargs="?", metavar="FILE", help="rows, data, ratios, seeds; or one by name: survey")
    add("--configs", nargs="+", default=[], metavar="NAME", help="one row of the table each")
    add("--data", nargs="+", default=[], metavar="NAME", help="configs of data: cifar10 cifar100")
    add("--ratios", nargs="+", default=[], metavar="R", help="imbalance ratios: 100 50 10")
    add("--seeds", nargs="+", default=[], metavar="S", help="0 where nothing is said")
    add(
        "--over", nargs="+", default=[], metavar="NAME", help="configs over every row: recipe/short"
    )
    add("--post_hoc", nargs="+", default=[], metavar="CLASS", help="tested on each finished run")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="an option of every run")
    add("--runs", default="runs", help="folder of all runs")
    add("--name", help="of the sweep; by default that of the file, else sweep")
    add("--jobs", type=int, metavar="K", help="runs at once (1); each gets its threads")
    add("--nice", type=int, metavar="N", help="lower the priority of the runs, or of --plan, by N")
    launchers = ("local", "slurm", "print")
    add("--launcher", choices=launchers, help="local; print: the commands, and no run")
    add("--slurm", action="append", default=[], metavar="KEY=VALUE", help="timeout_min=60, say")
    add(
        "--plan", action="store_true", help="measure one epoch, show what is to be run, run nothing"
    )
    add("--status", action="store_true", help="show how far the sweep is")
    return parser


def sweep(argv: list[str]) -> None:
    """Plan the runs, run them, and print the table.

    Raises:
        UserError: if a run failed.
    """
    options, groups = asked(argv)
    name = options.name or (Path(options.file).stem if options.file else "sweep")
    run_folder.check_names(options.runs, name, None)
    root = Path(options.runs) / name
    if options.status:
        _status(root, options, groups)
        return
    run_folder.forget_own()
    looked = options.plan or options.launcher == "print"  # which run nothing
    record, kept = _planned(groups, root, looked)
    if options.plan:
        measure(record, root, options.nice or 0, kept)
    again = replace(record, failed={})  # for what failed is tried again
    if not looked:
        again.write(root)
    board = Board(again, root)
    cost = Cost(board)
    if options.plan:
        _say(text.plan_lines(board, cost))
    elif options.launcher == "print":
        _say(text.shell_lines(board.left(), root))
    elif options.launcher == "slurm":
        found = submit(board, _pairs(options.slurm, "slurm"))
        _say([f"{job}: {told}" for job, told in found.items()])
    else:
        Local(board, Terms(options.jobs or 1, options.nice or 0)).run(text.Screen(board, cost).show)
        _close(board, cost)


def asked(argv: list[str]) -> tuple[argparse.Namespace, list[Group]]:
    """Return the options of a command line, and the groups that it asks for.

    None are asked for by --status without a file.

    Raises:
        Refused: if it is not understood.
    """
    options = _parser().parse_args(argv)
    for name, least, most in (("jobs", 1, 1024), ("nice", 0, 19)):
        value = vars(options)[name]
        if value is not None and not least <= value <= most:
            raise Refused(f"--{name} is {value}: give {least} to {most}.")
    _check_together(options)
    _pairs(options.slurm, "slurm")
    return options, [] if options.status and options.file is None else _groups(options)


def _check_together(options: argparse.Namespace) -> None:
    """Refuse what nothing would look at.

    Raises:
        Refused: if two options are for different ways to go on.
    """
    if options.plan and options.status:
        raise Refused("--plan and --status show two things: give one of them.")
    if options.launcher and (options.plan or options.status):
        shown = "plan" if options.plan else "status"
        raise Refused(f"--launcher stands beside --{shown}, which starts no run: leave it out.")
    if options.plan and options.jobs is not None:
        raise Refused(
            f"--jobs {options.jobs} stands beside --plan, which tells the work of all runs, "
            "however many are at work at once: leave it out."
        )
    idle = next((name for name in _OF_LAUNCHER if vars(options)[name] not in (None, [])), None)
    if options.status and idle is not None:
        raise Refused(f"--{idle} stands beside --status, which starts no run: leave it out.")
    launcher = options.launcher or "local"
    for name, wanted in _OF_LAUNCHER.items():
        if vars(options)[name] not in (None, []) and launcher != wanted:
            raise Refused(
                f"--{name} is for --launcher {wanted}, and it is {launcher}: leave one of them out."
            )


def _groups(options: argparse.Namespace) -> list[Group]:
    """Return what the file asks for, or the command line."""
    if options.file is not None:
        given = next((name for name in _OF_PLAN if vars(options)[name]), None)
        if given is not None:
            raise Refused(f"--{given} stands beside a file: write it into {options.file}.")
        return read_spec(options.file)
    if not options.configs:
        raise Refused(f"Nothing is asked for: {_USAGE}.")
    rows = [{"config": name, "post_hoc": options.post_hoc} for name in options.configs]
    asked = {name: vars(options)[name] for name in ("data", "ratios", "seeds", "over")}
    return groups_of({"rows": rows, **asked, "set": _pairs(options.set, "set")})


def _pairs(words: list[str], option: str) -> dict[str, Any]:
    """Return the options of KEY=VALUE."""
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key[:1].isalpha():
            raise Refused(f"--{option} is {word!r}: give KEY=VALUE, trainer.max_epochs=30, say.")
        if option == "slurm":
            found[key] = _of_slurm(word, value)
        else:  # with a plus each adds to a list
            found[key] = [*found.get(key, ()), value] if key.endswith("+") else value
    return found


def _of_slurm(word: str, value: str) -> Any:
    """Return a value as submitit takes it: what YAML makes of it.

    A text that YAML writes otherwise stays one, such as 007, 1:30:00 or yes.
    """
    nested = value.startswith(("{", "["))
    try:
        found = load_text(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if not nested:
            return value
        raise Refused(f"--slurm is {word!r}: give keys and values as '{{a: x, b: y}}'.") from error
    return found if nested or json.dumps(found, default=str) == value.lower() else value


def _planned(groups: list[Group], root: Path, looked: bool) -> tuple[Record, Record]:
    """Return the plan of what is asked for, made anew, and what is kept: it, or an earlier one.

    That of another plan stays as it was where the new one is only looked at.
    """
    read_record(root)  # a damaged one is refused before anything is looked into
    jobs = _jobs(groups, root)
    run_folder.occupy(root, "--name")  # after a plan that is refused there is no folder
    before, asked = read_record(root), digest(groups)
    record = renewed(before, jobs, root, asked)
    if looked and before is not None and before.asked != asked:
        return record, before
    record.write(root)
    return record, record


def _jobs(groups: list[Group], root: Path) -> list[Job]:
    """Return the runs that are asked for.

    Raises:
        Refused: if one is none that `lt` would take.
        UserError: if a run in its place is another one, or has lost what is to be tested.
    """
    _check_changes(groups)
    jobs = plan(groups, root, _parse, lambda job, config: check_begun(job, config, root))
    check_tests(jobs, root)
    return jobs


def _check_changes(groups: list[Group]) -> None:
    """Refuse a change that `lt test` would refuse, before anything is trained for it.

    Raises:
        Refused: if there is one.
    """
    asked = dict.fromkeys(
        change for group in groups for row in group.rows for change in row.post_hoc
    )
    if asked:
        from lt_lightning.cli.post_hoc import parsed

        for change in asked:
            parsed(["--post_hoc", change], "lt sweep")


def _parse(words: list[str]) -> Mapping[str, Any]:
    """Return the full config of the words after `lt fit`."""
    from lt_lightning.cli.app import LTCLI
    from lt_lightning.runs import argv, config_files

    name = words[words.index("--config") + 1]
    words = packaged.in_full(words)
    naming = config_files.naming_method(config_files.check(words))
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            LTCLI(argv.files_first(["fit", *words, "--print_config"], naming))
        except Refused as refused:
            raise UserError(f"{name}: {refused.sentence}") from refused
        except SystemExit as stop:
            if stop.code:  # what was asked for ends with 0, a signal does not
                raise
    found: Mapping[str, Any] = yaml.safe_load(out.getvalue())
    return found


def _status(root: Path, options: argparse.Namespace, groups: list[Group]) -> None:
    """Show the sweep as it was planned last; that of a file which asks for others as it asks."""
    record = read_record(root)
    if record is None:
        raise UserError(f"There is no sweep in {root}: give its --runs and --name.")
    given = next((name for name in _OF_PLAN if vars(options)[name]), None)
    if given is not None:
        raise Refused(
            f"--{given} stands beside --status, which shows the sweep in {root} as it was planned "
            "last: leave it out."
        )
    if groups and digest(groups) != record.asked:
        record = renewed(record, _jobs(groups, root), root)
    board = Board(record, root)
    cost = Cost(board)
    _say([*text.plan_lines(board, cost), *text.failed_lines(board)])


def _close(board: Board, cost: Cost) -> None:
    """Print the table of what is done; a sweep with failures ends with another status.

    Raises:
        UserError: if a run is not done, or the page could not be written.
    """
    done = [job for job in board.record.jobs if board.states[job.id].kind is Kind.DONE]
    folders = list(dict.fromkeys(str(job.folder(board.root)) for job in done))
    refused = ""
    if folders:
        answer, _ = report([*folders, "--format", "md"])
        said, status = report([*folders, "--out", str(board.root / PAGE)])
        _say([answer, "", "" if status else said])
        refused = said.removeprefix("lt: ").rpartition(": ")[0] if status else ""
    left = [job for job in board.record.jobs if job not in done]
    if left:
        page = [f"No page: {refused}."] if refused else []
        _say([*page, text.summary(board, cost), *text.failed_lines(board)])
        raise UserError(
            f"{len(left)} of {len(board.record.jobs)} runs are not done: mend what their logs say, "
            "and start the same sweep again, which tries them again."
        )
    if refused:
        raise UserError(f"{refused}: mend that, and start the same sweep again for its page.")


def _say(lines: list[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")

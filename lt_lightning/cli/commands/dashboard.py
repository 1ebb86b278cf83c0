"""`lt dashboard --project NAME`: the W&B workspace that shows all methods side by side."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lt_lightning.cli.words.arguments import CommandParser
from lt_lightning.errors import UserError, one_sentence
from lt_lightning.metrics.groups import SHOTS
from lt_lightning.report.measures import group_names
from lt_lightning.report.table import find_runs
from lt_lightning.runs import outputs
from lt_lightning.runs.files import write_whole
from lt_lightning.runs.results import read_results
from lt_lightning.wandb_.run import has_account
from lt_lightning.wandb_.workspace import as_json, workspace


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = CommandParser(
        "lt dashboard [RUN ...] --project NAME [--entity NAME] [--json FILE]", __doc__
    )
    parser.add_argument(
        "runs",
        nargs="*",
        metavar="RUN",
        help="finished runs whose groups of classes are shown; by default many, medium and few",
    )
    parser.add_argument("--project", required=True, metavar="NAME", help="a W&B project")
    parser.add_argument("--entity", metavar="NAME", help="user or team; by default the account's")
    parser.add_argument("--json", metavar="FILE", help="write it into a file, without a server")
    parser.add_argument("--force", action="store_true", help="write over the file")
    return parser.parse_args(argv)


def dashboard(argv: list[str]) -> None:
    """Save the workspace on the server, or write it into a file."""
    options = _parse(argv)
    for name, value in (("project", options.project), ("entity", options.entity)):
        if value is not None and not value.strip():
            raise UserError(f"--{name} is empty: give its name on W&B.")
    runs = find_runs(options.runs, newest=False).finished if options.runs else []
    groups = group_names(read_results(folder) for folder in runs) if runs else SHOTS
    if options.json is None:
        sys.stdout.write(f"Workspace: {_save(options.project, options.entity, groups)}\n")
        return
    file = Path(options.json)
    outputs.check_file(file, options.force, "--json")
    text = as_json(workspace(options.project, options.entity or "", groups))
    write_whole(file, f"{text}\n".encode(), "write the workspace again")
    sys.stdout.write(f"{file}: the workspace of {options.project}\n")


def _save(project: str, entity: str | None, groups: Sequence[str]) -> str:
    """Send the workspace to the server and return its address.

    Raises:
        UserError: without an account, or if the server does not take it.
    """
    if not has_account():
        raise UserError(
            "W&B has no API key to save the workspace with: set WANDB_API_KEY, or write it into a "
            "file by --json FILE."
        )
    os.environ["WANDB_SILENT"] = "true"  # the address is said once, by us
    view = workspace(project, entity or "", groups)
    import wandb

    try:
        view.entity = entity or _own_entity(wandb.Api())
        view.save()
        return str(view.url)
    except UserError:
        raise
    except Exception as error:  # W&B has no common base of what its client raises
        raise UserError(
            f"W&B did not take the workspace of {project} ({one_sentence(str(error))}): check "
            "WANDB_API_KEY, the project and the network, or write it by --json FILE."
        ) from error


def _own_entity(api: Any) -> str:
    found = api.default_entity
    if not found:
        raise UserError("W&B names no entity for this key: give one by --entity NAME.")
    return str(found)

"""The data of a finished run, for commands that look at its images again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from lt_lightning.cli.words.parser import LTParser
from lt_lightning.data import LongTailDataModule
from lt_lightning.data.reading import read_as
from lt_lightning.engine import seen_data
from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint import DATA_STATE
from lt_lightning.runs.config import config_of


def data_of_run(config: dict[str, Any], words: list[str], prog: str) -> LongTailDataModule:
    """Return the data of the run, set up; `words` lie over its config.

    Args:
        config: the config of the run.
        words: options of the data from the command line.
        prog: the command, for what the parser says.
    """
    parser, given = _of_run(config, words, prog)
    data: LongTailDataModule = parser.instantiate_classes(given).data
    data.prepare_data()
    data.setup("test")
    return data


def options_of_run(config: dict[str, Any], words: list[str], prog: str) -> dict[str, Any]:
    """Return the options of the data of a run, as a config file has them below `data`.

    Args:
        config: the config of the run.
        words: options of the data from the command line, over those of the config.
        prog: the command, for what the parser says.
    """
    _, given = _of_run(config, words, prog)
    found: dict[str, Any] = given.as_dict()["data"]
    return found


def _of_run(config: dict[str, Any], words: list[str], prog: str) -> tuple[LTParser, Namespace]:
    parser = LTParser(prog=prog, default_env=False)
    parser.add_lightning_class_args(LongTailDataModule, "data")
    of_run = parser.parse_object({"data": config["data"]})
    return parser, parser.parse_args(words, namespace=of_run)


def data_of_files(
    contents: Sequence[Mapping[str, Any]], words: list[str], prog: str
) -> LongTailDataModule:
    """Return the data that configs and options ask for, before any image is read.

    Args:
        contents: of the config files, each over those before it.
        words: options of the data, over all of them.
        prog: the command, for what the parser says.
    """
    parser = LTParser(prog=prog, default_env=False)
    parser.add_lightning_class_args(LongTailDataModule, "data")
    found = parser.get_defaults()
    for content in contents:
        if content.get("data"):
            found = parser.parse_object({"data": content["data"]}, found)
    given = parser.parse_args(words, namespace=found)
    data: LongTailDataModule = parser.instantiate_classes(given).data
    return data


def data_of_checkpoint(
    folder: Path, checkpoint: Path, content: Mapping[str, Any], words: list[str], prog: str
) -> LongTailDataModule:
    """Return the data that a checkpoint was trained on, read as then.

    Args:
        folder: of the run.
        checkpoint: the file.
        content: what it holds.
        words: options of the data from the command line, over those of the config.
        prog: the command, for what the parser says.

    Raises:
        UserError: if they are gone, others, or seen otherwise.
    """
    saved = content[DATA_STATE]
    with read_as(saved):
        data = data_of_run(config_of(folder), words, prog)
    seen_data.check_view(saved, data)
    if saved.get("fingerprint") != data.fingerprint:
        raise UserError(
            f"{checkpoint} was trained on the images {saved.get('fingerprint')} but the data have "
            f"{data.fingerprint}: give the data of that run, with --data.root where they moved."
        )
    return data

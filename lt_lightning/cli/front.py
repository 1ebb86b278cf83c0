"""Answers that need no torch: help, version, the list of methods."""

from collections.abc import Sequence

from lt_lightning import __version__
from lt_lightning.nearest import nearest
from lt_lightning.report.command import HELP as REPORT_HELP
from lt_lightning.report.command import on_images, report

HELP = """\
lt: long-tailed image classification

  lt fit --config FILE [--config FILE ...] [--key value ...]   train, then report on the test split
  lt fit --config FILE --ckpt_path last            go on with the newest run of that name
  lt auto --data.root DIR --minutes 30             the best remedy for your pictures in that time
  lt sweep FILE [--jobs K]                         a table of runs, shared, side by side, resumable
  lt test RUN [--best] [--key value ...]           test a finished run again
  lt validate RUN [--best] [--key value ...]       the same on its held-out images
  lt calibrate RUN [--best]                        temperature and vector scaling, before and after
  lt data check DIR [--out FILE.png]               look at a folder of pictures before training
  lt cam RUN [--out DIR] [--per_class N]           make images of the rare classes to train on
  lt cam RUN --mistakes N --out DIR                what it looks at in pictures it gets wrong
  lt predict RUN --images DIR --out FILE.csv       classify the images of a folder or list
  lt export RUN --format onnx --out DIR            a model that needs nothing of this package
  lt report RUN [RUN ...] [--out FILE.html]        one table, or one page, of finished runs
  lt report RUN [RUN ...] --features               t-SNE of test features as well
  lt report RUN [RUN ...] --mistakes [N]           pictures of the worst mistakes as well
  lt dashboard [RUN ...] --project NAME            the W&B workspace of all methods side by side
  lt methods                                       methods, losses, samplers, data sets
  lt configs [show NAME | copy NAME]               the configs of the package
  lt completion bash|zsh|fish                      what the tab key completes
  lt --version

A later --config lies over an earlier one; keys on the command line lie over both.
  lt fit --config bbn --config data/digits
  lt fit --help                  all keys
  lt fit --model.help BBN        the keys of one method
Set LT_DEBUG=1 to see the traceback of an error."""

CALIBRATE_HELP = """\
lt calibrate RUN [--best] [--key value ...]: temperature and vector scaling, before and after

RUN is the folder of a finished run, or a checkpoint in it; --best takes best.ckpt.
Both are fitted on held-out images: the run must have some (--data.holdout.fraction 0.1).
Each is tested beside the run, in its results.json, and its figures; the weights stay as they are.
Other keys lie over those of the run, as with lt test: lt test --help lists them."""

METHODS_HELP = """\
lt methods: every method, loss, sampler, imbalance profile and data set, one a line

Each with its paper, and the name that --model, --model.loss, --data.sampler and the like take.
Those of other packages that declare them follow in each section, with path and package.
lt fit --model.help BBN lists the keys of one method."""

DATA_HELP = """\
lt data check SOURCE [--out FILE.png]: look at pictures before training

SOURCE is a folder (what --data.root would be), a table (.csv, .tsv) or a list (.txt) of pictures.
Told are the images per class and their groups, sizes, files that cannot be used, the same picture
twice, in two splits or under two classes, names of classes that are easily confused, classes
missing from a split, groups in two splits, and the command to train with.
--out draws the images per class; --force writes over it.
--root DIR is the folder that paths of a table or list start from (the one it lies in).
Options of the source are those of --data.source, and the command to train with has them too:
  all: test_fraction (0.2 without test images) test_per_class split_seed group_by unreadable
       grey_bits background
  tables: path_column label_column split_column split_values separator path_format
  lists: test val names
The status is 0 where training can begin, 1 where it would be refused."""

COMMANDS = (
    "fit",
    "auto",
    "sweep",
    "validate",
    "test",
    "calibrate",
    "data",
    "cam",
    "predict",
    "export",
    "report",
    "dashboard",
    "methods",
    "configs",
    "completion",
)
_HELP = {
    "calibrate": CALIBRATE_HELP,
    "data": DATA_HELP,
    "methods": METHODS_HELP,
    "report": REPORT_HELP,
}
_OTHER_NAMES = {
    "train": "fit",
    "eval": "test",
    "evaluate": "test",
    "list": "methods",
    "check": "data check",
}


def answer(arguments: Sequence[str]) -> tuple[str | None, int]:
    """Return a text and its exit status, or none where torch is needed."""
    first = arguments[0] if arguments else "--help"
    if first in ("--help", "-h", "help"):
        return HELP, 0
    if first in ("--version", "version"):
        return f"lt_lightning {__version__}", 0
    if first in _HELP and {"--help", "-h"} & set(arguments):
        return _HELP[first], 0
    if first == "methods":
        from lt_lightning.cli.words.listing import table

        if len(arguments) > 1:
            return f"lt: 'lt methods' takes no argument, it was given {arguments[1]!r}.", 2
        return table(), 0
    if first == "configs":
        from lt_lightning.cli.commands.configs import HELP as CONFIGS_HELP
        from lt_lightning.cli.commands.configs import configs_command

        asked = {"--help", "-h"} & set(arguments)
        return CONFIGS_HELP if asked else configs_command(arguments[1:]), 0
    if first == "completion":
        from lt_lightning.cli.commands.completion import HELP as COMPLETION_HELP
        from lt_lightning.cli.commands.completion import completion

        asked = {"--help", "-h"} & set(arguments[:2])
        return COMPLETION_HELP if asked else completion(arguments[1:], COMMANDS), 0
    if first == "report" and not on_images(arguments):
        return report(arguments[1:])
    if first not in COMMANDS:
        near = _OTHER_NAMES.get(first) or nearest(first, COMMANDS)
        hint = f"did you mean 'lt {near}'?" if near else f"there are {', '.join(COMMANDS)}."
        return f"lt: there is no command {first!r}: {hint}", 2
    return None, 0

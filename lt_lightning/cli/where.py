"""Where a fit writes, and which checkpoint it goes on from."""

import logging
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs import argv as words
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs import launch

log = logging.getLogger("lt_lightning")


def choose(options: Any, argv: list[str], given: Path | None) -> tuple[Path, Path | None]:
    """Take a folder for a fit, and write it into the options.

    Args:
        options: of the fit; name, version and ckpt_path are set.
        argv: the words of the command, whose configs name the run.
        given: the folder, where the run is a part of another.

    Returns:
        The folder, and the checkpoint to go on from, if any.
    """
    wanted = options.get("ckpt_path")
    if options.name is None:
        method = options.model.class_path.rsplit(".", 1)[-1]
        options.name = run_folder.run_name(argv, method)
    run_folder.check_names(options.runs, options.name, options.version)
    unknown = options.version is None and wanted is None and not launch.knows_itself()
    if launch.is_elastic() and unknown:
        log.warning(
            "torchrun starts processes again, which could not know their run: give --version, or "
            "torchrun --rdzv-id; as it is they would begin anew."
        )
    folder, resume = _known(options, wanted, given)
    if folder is not None and given is None and wanted not in (None, "last"):
        _check_place(folder, argv, str(wanted))
    if folder is None:
        folder = run_folder.new_folder(Path(options.runs), options.name, options.version)
    run_folder.occupy(folder)
    options.version = folder.name
    options.ckpt_path = str(resume) if resume else None
    return folder, resume


def _check_place(folder: Path, argv: list[str], wanted: str) -> None:
    """Refuse another place than that of a run that goes on, which it would not get.

    A config names the place that its run was made in, and the run may have been moved since.

    Raises:
        UserError: with the option to leave out.
    """
    run = folder.resolve()
    own = {"runs": run.parent.parent, "name": run.parent.name, "version": run.name}
    for item in words.items(argv):
        asked: Any = item.value
        if item.key not in own or asked is None:
            continue
        if (Path(asked).resolve() if item.key == "runs" else asked) != own[item.key]:
            raise UserError(
                f"--ckpt_path {wanted} goes on in the folder of its run, {folder}, so --{item.key} "
                f"{asked} has no effect: leave it out."
            )


def _known(options: Any, wanted: str | None, given: Path | None) -> tuple[Path | None, Path | None]:
    """Return the folder of a run that is there already, and its checkpoint, or none."""
    root, place = Path(options.runs), (options.name, options.version)
    if given is None and wanted not in (None, "last"):
        return run_folder.of_run(wanted)
    if given is not None:
        found: Path | None = given
    elif wanted is None:
        found = run_folder.started_again(root, *place)
    else:
        found = run_folder.last_run(root, *place)
        if found is None:
            wanted_run = root / options.name / (options.version or "")
            log.warning("No run %s to go on with: starting anew.", wanted_run)
    return found, run_folder.checkpoint_of(found)

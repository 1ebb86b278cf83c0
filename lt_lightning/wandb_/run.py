"""A W&B run that never asks a question and that a resumed training goes on with."""

import logging
import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from lt_lightning.errors import UserError
from lt_lightning.metrics.names import TEST, logged
from lt_lightning.runs.files import write_whole

log = logging.getLogger(__name__)
_TEST = logged(TEST, "")


def has_account() -> bool:
    """Return whether W&B could log in without asking: a key in the environment or in netrc."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


class WandbRun(WandbLogger):
    """WandbLogger that is offline where there is no key, and resumes the run of its folder.

    `lt` gives it the run folder: the W&B files lie in <run folder>/wandb, and the run's id is kept
    in <run folder>/wandb_id, so that `--ckpt_path last` continues the same curves. An offline run
    is sent later by `wandb sync <run folder>/wandb/offline-run-*`. WANDB_MODE=disabled switches
    everything off. test/* are those of the last epoch; further tests go into the summary only.

    Args:
        project: W&B project.
        entity: W&B user or team; none is the account's own.
        offline: keep the run on disk. Where there is no key it is kept on disk anyway, for W&B
            would ask for one, or end the run where nobody can answer.
        group: none is the method, by the run's name, and its data; its runs differ in their seed.
            Either way these are the job type of the run.
        tags: further tags.
    """

    def __init__(
        self,
        project: str = "lt_lightning",
        entity: str | None = None,
        offline: bool | None = None,
        group: str | None = None,
        tags: list[str] | None = None,
    ) -> None:
        mode = os.environ.get("WANDB_MODE")
        if mode == "disabled":
            offline = False
        elif not has_account():
            if offline is False or mode == "online":
                log.warning("W&B has no API key, so the run is kept offline: see `wandb sync`.")
            offline = True
        elif offline is None:
            offline = mode in ("offline", "dryrun")
        super().__init__(project=project, entity=entity, offline=offline, group=group, tags=tags)
        self._wandb_init.pop("anonymous")  # W&B warns of Lightning's default
        self._folder: Path | None = None
        self._tested: set[str] = set()

    def use_folder(self, folder: Path, data: str | None = None) -> None:
        """Write below the run folder, and go on with its W&B run where there is one.

        Args:
            folder: the run folder.
            data: the data set, which is part of the group's name.
        """
        options: dict[str, Any] = self._wandb_init
        self._save_dir = str(folder)
        options["dir"] = str(folder)
        options["name"] = f"{folder.parent.name}/{folder.name}"
        group = ", ".join(part for part in (folder.parent.name, data) if part)
        options["group"] = options.get("group") or group
        options["job_type"] = group  # by which the workspace of all methods parts them
        kept = folder / "wandb_id"
        if kept.is_file():
            options["id"] = kept.read_text(encoding="utf-8").strip()
        options["id"] = options.get("id") or os.urandom(4).hex()
        options["resume"] = "allow"
        self._id = options["id"]
        self._folder = folder

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The W&B run, which is begun here on the first process only.

        Raises:
            UserError: if W&B refuses the key or cannot be reached.
        """
        from wandb.errors import Error

        if self._experiment is None and self._folder is not None:
            # Here and not earlier: no process writes before all of them know the folder.
            name = self._wandb_init["id"]
            write_whole(self._folder / "wandb_id", name.encode(), "start the run again")
        try:
            return super().experiment
        except Error as error:
            raise UserError(
                f"W&B did not begin the run ({str(error).splitlines()[0].rstrip('.')}): check "
                "WANDB_API_KEY and the network, or set --trainer.logger.offline true."
            ) from error

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log the metrics, the first test's only."""
        new = {name: value for name, value in metrics.items() if name not in self._tested}
        self._tested.update(name for name in new if name.startswith(_TEST))
        super().log_metrics(new, step)

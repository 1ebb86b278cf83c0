"""A W&B run that never asks a question and that a resumed training goes on with."""

import netrc
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from lightning.pytorch.loggers import WandbLogger


def has_account() -> bool:
    """Return whether W&B could log in without asking: a key in the environment or in netrc."""
    if os.environ.get("WANDB_API_KEY"):
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
    is sent later by `wandb sync <run folder>/wandb/offline-run-*`.

    Args:
        project: W&B project.
        entity: W&B user or team; none is the account's own.
        offline: keep the run on disk; none is offline where W&B would have to ask for a key.
        group: none is the method and its data, the run's name.
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
        if offline is None:
            offline = mode in ("offline", "dryrun") or (mode is None and not has_account())
        super().__init__(project=project, entity=entity, offline=offline, group=group, tags=tags)

    def use_folder(self, folder: Path) -> None:
        """Write below the run folder, and go on with its W&B run where there is one."""
        options: dict[str, Any] = self._wandb_init
        folder.mkdir(parents=True, exist_ok=True)
        self._save_dir = str(folder)
        options["dir"] = str(folder)
        options["name"] = f"{folder.parent.name}/{folder.name}"
        options["group"] = options.get("group") or folder.parent.name
        kept = folder / "wandb_id"
        if kept.is_file():
            options["id"] = kept.read_text(encoding="utf-8").strip()
        options["id"] = options.get("id") or os.urandom(4).hex()
        options["resume"] = "allow"
        self._id = options["id"]
        if int(os.environ.get("LOCAL_RANK", "0")) == 0:
            kept.write_text(options["id"], encoding="utf-8")

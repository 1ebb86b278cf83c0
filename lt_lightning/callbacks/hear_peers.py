"""The processes of a run hear each other while a trainer is at work."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies import ParallelStrategy

from lt_lightning.runs import peers


class HearPeers(Callback):
    """Ends the run with a sentence where one of its processes died or was stopped.

    A process that says nothing for LT_LOST_AFTER seconds, 180 if it is not set, is named with its
    machine and where it was; see `runs.peers`.
    """

    def __init__(self) -> None:
        self._peers: peers.Peers | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Meet the other processes."""
        strategy = trainer.strategy
        if trainer.world_size == 1 or not isinstance(strategy, ParallelStrategy):
            return
        environment = strategy.cluster_environment
        assert environment is not None, "processes that were started know where they meet"

        def share(place: peers.Place | None) -> peers.Place:
            shared = strategy.broadcast(place, 0)
            assert shared is not None, "the first process has a place"
            return shared

        self._peers = peers.Peers(
            trainer.global_rank,
            trainer.world_size,
            share,
            environment.main_address,
            strategy.launcher,
        )
        self._peers.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note where the training is."""
        if self._peers is not None:
            self._peers.note(trainer.current_epoch, trainer.global_step)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take leave."""
        if self._peers is not None:
            self._peers.stop()
            self._peers = None

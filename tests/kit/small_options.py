"""Options of a run of a second, as `lt_lightning.fit` takes them."""

OPTIONS = {
    "model": {"class_path": "ERM", "init_args": {"backbone": {"depth": 8, "width": 4}}},
    "data": {"source": {"size": 8}, "batch_size": 64, "holdout.fraction": 0.1},
    "trainer": {"accelerator": "cpu", "max_epochs": 1, "limit_train_batches": 2},
    "trainer__precision": "32-true",
}

"""Options of which 1 is one batch, and 1.0 is all of them."""

BATCH_SHARES = (
    "trainer.limit_train_batches", "trainer.limit_val_batches", "trainer.limit_test_batches",
    "trainer.limit_predict_batches", "trainer.overfit_batches", "trainer.val_check_interval",
)  # fmt: skip

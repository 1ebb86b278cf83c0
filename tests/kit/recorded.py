"""What tests of a run's record share."""


def fit_and_test(make_trainer, record, *more, module, data, **options):
    """Train and test `module`, and return the trainer."""
    trainer = make_trainer(record, *more, **options)
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    return trainer

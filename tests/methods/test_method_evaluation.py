"""What evaluation by every public method must not do."""

import torch


def _state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def _same(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_logits_are_one_per_image_and_class(fitted, images):
    fitted.module.eval()
    logits = fitted.module.predict_logits(images)
    assert logits.shape == (len(images), len(fitted.data.class_counts))
    assert bool(logits.isfinite().all())


def test_evaluation_changes_neither_weights_nor_batch_norm(fitted):
    before = _state(fitted.module)
    for run in (fitted.trainer.validate, fitted.trainer.test):
        run(fitted.module, datamodule=fitted.data, verbose=False)
    _same(before, _state(fitted.module))


def test_evaluation_leaves_no_gradients_and_no_graph(fitted):
    fitted.module.zero_grad()
    fitted.trainer.test(fitted.module, datamodule=fitted.data, verbose=False)
    loader = fitted.data.eval_loader("test")
    chances = torch.cat(fitted.trainer.predict(fitted.module, loader))
    assert not chances.requires_grad
    assert all(parameter.grad is None for parameter in fitted.module.parameters())


def test_predictions_are_probabilities(fitted):
    loader = fitted.data.eval_loader("test")
    chances = torch.cat(fitted.trainer.predict(fitted.module, loader))
    torch.testing.assert_close(chances.sum(1), torch.ones(len(chances)))


def test_logits_of_an_image_do_not_depend_on_its_batch(fitted, images):
    fitted.module.eval()
    with torch.no_grad():
        together = fitted.module.predict_logits(images)
        alone = torch.cat([fitted.module.predict_logits(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_second_test_counts_the_images_anew(fitted):
    run = fitted.trainer.test
    first = run(fitted.module, datamodule=fitted.data, verbose=False)
    assert run(fitted.module, datamodule=fitted.data, verbose=False) == first
    images = sum(len(targets) for _, targets in fitted.data.eval_loader("test"))
    assert int(fitted.module.test_stats.total.sum()) == images
    assert int(fitted.module.test_confusion.compute().sum()) == images


def test_test_metrics_are_those_of_the_logits(fitted):
    (found,) = fitted.trainer.test(fitted.module, datamodule=fitted.data, verbose=False)
    right, losses = [], []
    fitted.module.eval()
    with torch.no_grad():
        for images, targets in fitted.data.eval_loader("test"):
            logits = fitted.module.predict_logits(images).double()
            right += (logits.argmax(1) == targets).tolist()
            losses += (-logits.log_softmax(1)[range(len(targets)), targets]).tolist()
    assert abs(found["test/acc"] - sum(right) / len(right)) < 1e-6
    assert abs(found["test/nll"] - sum(losses) / len(losses)) < 1e-4


def test_memory_layout_changes_nothing_but_the_rounding(lab, method_of_each_kind):
    short = {"epochs": 1, "limit_train_batches": 2, "limit_val_batches": 0}
    one = lab.fit(method_of_each_kind, model={"channels_last": True}, **short).module
    two = lab.fit(method_of_each_kind, model={"channels_last": False}, **short).module
    for (name, a), b in zip(one.state_dict().items(), two.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=2e-3, msg=name)


def test_bfloat16_is_finite(lab, method_of_each_kind, images):
    found = lab.fit(method_of_each_kind, epochs=1, precision="bf16-mixed", limit_train_batches=2)
    assert all(torch.isfinite(torch.tensor(found.watch.losses)))
    assert all(bool(value.isfinite().all()) for value in found.module.state_dict().values())
    assert {p.dtype for p in found.module.parameters()} == {torch.float32}
    found.module.eval()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert bool(found.module.predict_logits(images).isfinite().all())

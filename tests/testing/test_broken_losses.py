"""Every clause of the contract of losses has a loss that breaks it."""

import pytest
import torch

from lt_lightning.losses import CrossEntropy, LabelOverSmoothing, LogitAdjustment, Loss
from lt_lightning.testing import check_loss
from lt_lightning.testing import losses as contract


class Untyped(CrossEntropy):
    def __init__(self, class_counts, tau=1.0, **options):
        super().__init__(class_counts, **options)


class WithoutOptions(CrossEntropy):
    def __init__(self, class_counts, *, tau: float = 1.0):
        super().__init__(class_counts)


class LosesOptions(CrossEntropy):
    def __init__(self, class_counts, **options):
        super().__init__(class_counts)


class OfLists(CrossEntropy):
    def __init__(self, class_counts, **options):
        super().__init__(class_counts, **options)
        self.table("kind", torch.tensor(float(isinstance(class_counts, list))))


class Generous(CrossEntropy):
    def __init__(self, class_counts, **options):
        counts = torch.as_tensor(class_counts).flatten().clamp_min(1).long()
        super().__init__(counts, **options)


class Overflowing(CrossEntropy):
    def per_sample(self, logits, targets):
        powers = logits.exp()
        return -(powers.gather(1, targets[:, None])[:, 0] / powers.sum(1)).log()


class Clamped(CrossEntropy):
    def per_sample(self, logits, targets):
        return super().per_sample(logits, targets).clamp_max(5.0)


class SilentlyDetached(CrossEntropy):
    def per_sample(self, logits, targets):
        values = super().per_sample(logits, targets)
        return values * values.detach()


class Narrow(CrossEntropy):
    def forward(self, logits, targets, share=None, *, features=None):
        return self.per_sample(logits @ torch.eye(6, dtype=logits.dtype), targets).mean()


class OfTheOrder(CrossEntropy):
    def per_sample(self, logits, targets):
        return super().per_sample(logits, targets) * (1 + torch.arange(len(targets)))


class OfTheNumbers(CrossEntropy):
    def per_sample(self, logits, targets):
        return super().per_sample(logits, targets) * (1 + targets)


class Summed(CrossEntropy):
    def forward(self, logits, targets, share=None, *, features=None):
        return len(logits) * super().forward(logits, targets, share)


class NotZero(CrossEntropy):
    def forward(self, logits, targets, share=None, *, features=None):
        return 1 + super().forward(logits, targets, share)


class AlwaysMean(CrossEntropy):
    def forward(self, logits, targets, share=None, *, features=None):
        return self.per_sample(logits.float(), targets).mean()


class WeighsTwice(CrossEntropy):
    def per_sample(self, logits, targets):
        return super().per_sample(logits, targets) * self.weight[targets]


class Turned(CrossEntropy):
    def per_sample(self, logits, targets):
        return super().per_sample(-logits, targets)


class Scaling(CrossEntropy):
    def predict_logits(self, logits):
        return 2 * logits


class TooFew(CrossEntropy):
    def predict_logits(self, logits):
        return logits[:, :2]


class Marked(CrossEntropy):
    corrects_prior = True


class Unmarked(LogitAdjustment):
    def __init__(self, class_counts, **options):
        super().__init__(class_counts, **options)
        self.corrects_prior = False


class HalfAdjusted(CrossEntropy):
    corrects_prior = True

    def per_sample(self, logits, targets):
        return super().per_sample(logits + self.class_counts.log() / 2, targets)


class OfCountsAlone(LabelOverSmoothing):
    def assumed(self, log_shares):
        counts = self.class_counts.double()
        prior = counts / counts.sum()
        return log_shares - prior.log() + ((1 - self.delta) * prior + self.delta / 3).log()


class Forgetful(CrossEntropy):
    def __init__(self, class_counts, **options):
        super().__init__(class_counts, **options)
        self.prior = self.class_counts / self.class_counts.sum()


class NotInTheState(CrossEntropy):
    def __init__(self, class_counts, **options):
        super().__init__(class_counts, **options)
        self.factor = float(self.class_counts.max())

    def per_sample(self, logits, targets):
        return self.factor * super().per_sample(logits, targets)


class Trusting(CrossEntropy):
    def forward(self, logits, targets, share=None, *, features=None):
        return logits.sum()


class Random(CrossEntropy):
    def per_sample(self, logits, targets):
        return super().per_sample(logits + 0 * torch.rand(()), targets)


BROKEN = [
    (contract.constructor_is_open, Untyped, "tau.* have no type"),
    (contract.constructor_is_open, WithoutOptions, "does not take .*weights.*reduction"),
    (contract.constructor_is_open, LosesOptions, "are lost: hand .*options on"),
    (contract.counts_may_be_of_any_kind, OfLists, "kind is another one for .* given as"),
    (contract.counts_may_be_of_any_kind, Generous, "class_counts .* is not refused"),
    (contract.extreme_logits_are_finite, Overflowing, "not finite for logits"),
    (contract.hopeless_images_pull_their_target_up, Clamped, "no gradient that raises it"),
    (contract.gradient_is_that_of_the_value, SilentlyDetached, "set stops_gradient = True"),
    (contract.precision_is_kept, Narrow, "changes the value|widened first|value in"),
    (contract.order_does_not_matter, OfTheOrder, "order of the images"),
    (contract.order_does_not_matter, OfTheNumbers, "how classes are numbered"),
    (contract.size_does_not_matter, Summed, "given twice has another value"),
    (contract.size_does_not_matter, NotZero, "without images has the value"),
    (contract.values_of_images_make_up_the_mean, AlwaysMean, r"gives the shape \(\)"),
    (contract.values_of_images_make_up_the_mean, WeighsTwice, "leave self.weight out"),
    (contract.following_the_gradient_predicts_the_targets, Turned, "do not predict|went from"),
    (contract.prediction_is_by_class, Scaling, "changes the logits"),
    (contract.prediction_is_by_class, TooFew, r"predict_logits gives \(17, 2\)"),
    (contract.marker_of_the_prior_is_true, Marked, "corrects_prior must be False"),
    (contract.marker_of_the_prior_is_true, Unmarked, "set corrects_prior = True"),
    (contract.what_is_assumed_is_learned, HalfAdjusted, "0.57, 0.29, 0.14, and assumed says 0.33"),
    (contract.what_is_assumed_is_learned, OfCountsAlone, r"drawn \(28, 28, 28\) times"),
    (contract.tables_are_buffers, Forgetful, "'prior'.* stay behind"),
    (contract.tables_are_buffers, NotInTheState, "does not hold all tables"),
    (contract.bad_batches_are_refused, Trusting, "a missing column of logits is not refused"),
    (contract.global_generator_is_left_alone, Random, "global random generator was used"),
]


@pytest.mark.parametrize(("check", "broken", "words"), BROKEN)
def test_contract_catches(check, broken, words):
    with pytest.raises(AssertionError, match=words):
        check(broken)


def test_every_clause_has_a_loss_that_breaks_it():
    assert {row[0] for row in BROKEN} == set(contract.CHECKS)


class Brier(Loss):
    bounded = True

    def per_sample(self, logits, targets):
        own = torch.nn.functional.one_hot(targets, logits.shape[1])
        return (logits.softmax(1) - own).square().sum(1)


class Flat(Brier):
    def per_sample(self, logits, targets):
        return super().per_sample(logits, targets).clamp_max(1.1)


def test_a_bounded_loss_keeps_the_contract_where_it_says_so():
    check_loss(Brier)
    Brier.bounded = False
    try:
        with pytest.raises(AssertionError, match="set bounded = True"):
            check_loss(Brier)
    finally:
        Brier.bounded = True
    with pytest.raises(AssertionError, match=r"no gradient that raises it$"):
        check_loss(Flat)


class Scalar(CrossEntropy):
    def per_sample(self, logits, targets):
        return super().per_sample(logits, targets).mean()


class Uninitialised(Loss):
    def __init__(self, class_counts, **options):
        self.tau = 1.0

    def per_sample(self, logits, targets):
        return logits[:, 0]


class Unwritten(Loss):
    def forward(self, logits, targets):
        return logits.mean()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Scalar, r"gave float32 \(\)"),
        (WithoutOptions, "does not take"),
        (Uninitialised, "Uninitialised is not complete .*super"),
        (Unwritten, "TypeError: .* with abstract method '?per_sample"),
        (torch.nn.Module, "TypeError: "),
    ],
)
def test_the_whole_contract_says_so(broken, words):
    with pytest.raises(AssertionError, match=words):
        check_loss(broken)

import pytest
import torch
from torchvision.transforms import InterpolationMode, v2

from lt_lightning.augment import AutoAugment, RandAugment, auto_augment, rand_augment
from lt_lightning.augment.auto_augment import policy_table
from lt_lightning.augment.operations import NAMES, magnitudes
from lt_lightning.errors import UserError

GEOMETRIC = {"ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"}
POLICIES = ("cifar10", "imagenet", "svhn")


@pytest.fixture
def record(monkeypatch):
    """Every stage's (input, choice, level, negative, bins, output)."""
    stages = []
    real = auto_augment.apply_operations

    def spy(images, choice, level, negative, *, bins, fill):
        out = real(images, choice, level, negative, bins=bins, fill=fill)
        stages.append((images, choice, level, negative, bins, out))
        return out

    monkeypatch.setattr(auto_augment, "apply_operations", spy)
    monkeypatch.setattr(rand_augment, "apply_operations", spy)
    return stages


def assert_stage_is_torchvision(stage, reference):
    images, choice, level, negative, bins, out = stage
    wrong = 0.0
    for k in range(len(images)):
        name = NAMES[int(choice[k])]
        make, signed = reference._AUGMENTATION_SPACE.get(name, (lambda *_: None, False))
        table = make(bins, *images.shape[2:])
        value = 0.0 if table is None else float(table[int(level[k])])
        expected = reference._apply_image_or_video_transform(
            images[k],
            name,
            -value if signed and negative[k] else value,
            interpolation=InterpolationMode.NEAREST,
            fill=reference._fill,
        )
        if name in GEOMETRIC:
            wrong += float((out[k] != expected).float().mean())
        else:
            assert int((out[k].int() - expected.int()).abs().max()) <= 1
    assert wrong / len(images) < 2e-3  # ties of the rounding, see test_ops_geometry.py


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("fill", [0, 128])
def test_each_stage_equals_torchvision_per_image(rng, pictures, record, policy, fill):
    out = AutoAugment(policy, fill)(pictures, rng(0))
    assert len(record) == 2
    assert torch.equal(record[0][0], pictures)
    assert torch.equal(record[0][-1], record[1][0])
    assert torch.equal(record[1][-1], out)
    reference = v2.AutoAugment(v2.AutoAugmentPolicy(policy), fill=fill or None)
    for stage in record:
        assert_stage_is_torchvision(stage, reference)


def test_rand_augment_stages_equal_torchvision_per_image(rng, pictures, record):
    RandAugment(3, 20, 31)(pictures, rng(0))
    assert len(record) == 3
    for stage in record:
        assert stage[4] == 31
        assert stage[2].unique().tolist() == [20]
        assert_stage_is_torchvision(stage, v2.RandAugment(3, 20, 31))


@pytest.mark.parametrize("policy", POLICIES)
def test_sub_policies_and_signs_have_the_right_frequencies(rng, chi_square, record, policy):
    images = torch.zeros(5000, 3, 2, 2, dtype=torch.uint8)
    AutoAugment(policy)(images, rng(2))
    pairs = v2.AutoAugment(v2.AutoAugmentPolicy(policy))._policies
    index = {name: k for k, name in enumerate(NAMES)}
    # Each image must be one of the four outcomes of a sub-policy; count them over the table.
    expected = torch.zeros(15, 11, 15, 11)
    for (name_a, p_a, level_a), (name_b, p_b, level_b) in pairs:
        for on_a, weight_a in ((True, p_a), (False, 1 - p_a)):
            for on_b, weight_b in ((True, p_b), (False, 1 - p_b)):
                a = (index[name_a], level_a or 0) if on_a else (0, 10)
                b = (index[name_b], level_b or 0) if on_b else (0, 10)
                expected[(*a, *b)] += 5000 / 25 * weight_a * weight_b
    (_, op_a, level_a, sign_a, _, _), (_, op_b, level_b, sign_b, _, _) = record
    level_a, level_b = torch.where(op_a == 0, 10, level_a), torch.where(op_b == 0, 10, level_b)
    code = ((op_a * 11 + level_a) * 15 + op_b) * 11 + level_b
    counts = torch.bincount(code, minlength=expected.numel()).float()
    expected = expected.flatten()
    assert not counts[expected == 0].any()
    often = expected >= 5
    rest = torch.stack((counts[~often].sum(), expected[~often].sum()))
    observed = torch.cat((counts[often], rest[:1] + 5))
    assert chi_square(observed, torch.cat((expected[often], rest[1:] + 5))) < 4
    signs = torch.bincount(sign_a * 2 + sign_b, minlength=4).float()
    assert chi_square(signs, torch.full((4,), 1250.0)) < 4


def test_rand_augment_draws_14_operations_uniformly(rng, chi_square, record):
    images = torch.zeros(2800, 3, 2, 2, dtype=torch.uint8)
    RandAugment(2)(images, rng(3))
    for _, choice, _, negative, _, _ in record:
        counts = torch.bincount(choice, minlength=14).float()
        assert chi_square(counts, torch.full((14,), 200.0)) < 4
        assert 1250 < int(negative.sum()) < 1550
    assert NAMES[14] == "Invert"
    pair = torch.bincount(record[0][1] * 14 + record[1][1], minlength=196).float()
    assert chi_square(pair, torch.full((196,), 2800 / 196)) < 4


def test_rand_augment_without_operations_changes_nothing(rng, pictures):
    assert torch.equal(RandAugment(0)(pictures, rng(0)), pictures)


@pytest.mark.parametrize("bins", [2, 10, 31])
def test_magnitudes_are_torchvisions(bins):
    table = magnitudes(24, 40, bins)
    for name, (make, _) in v2.AutoAugment._AUGMENTATION_SPACE.items():
        values = make(bins, 24, 40)
        expected = torch.zeros(bins) if values is None else values.float()
        expected = expected * 255 if name == "Solarize" else expected
        torch.testing.assert_close(table[NAMES.index(name)], expected)


def test_golden_row_of_the_cifar_table():
    assert NAMES[5] == "Rotate"
    torch.testing.assert_close(policy_table("cifar10")[1], torch.tensor([[5, 0.7, 2], [3, 0.3, 9]]))
    assert policy_table("imagenet").shape == (25, 2, 3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: AutoAugment("cifar100"), "policy is cifar100: use one of cifar10, imagenet, svhn"),
        (lambda: AutoAugment(fill=300), "fill is 300"),
        (lambda: RandAugment(-1), "num_ops is -1"),
        (lambda: RandAugment(magnitude=31), "magnitude is 31: give a number from 0 to 30"),
        (lambda: RandAugment(num_magnitude_bins=1, magnitude=0), "num_magnitude_bins is 1"),
        (lambda: RandAugment(fill=-1), "fill is -1"),
    ],
)
def test_bad_parameters(build, message):
    with pytest.raises(UserError, match=message):
        build()

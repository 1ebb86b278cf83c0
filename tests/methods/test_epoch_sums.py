"""The means of an epoch that was cut are, bit for bit, those of one that was not."""

import io
from types import SimpleNamespace

import pytest
import torch

from lt_lightning.engine import epoch_sums, train_log
from lt_lightning.runs.checkpoint import EPOCH_SUMS

FAR = 2.0**40  # from all numbers that are logged
IMAGES = (32, 31, 7)  # of a step, on each process


class Process(SimpleNamespace):
    """What a training step sees of Lightning, which sums value * images and images."""

    def __init__(self, rank):
        self.rank, self.current_epoch, self.device = rank, 1, torch.device("cpu")
        self.trainer = SimpleNamespace(
            optimizers=[SimpleNamespace(param_groups=[{"lr": 0.1}])],
            fit_loop=SimpleNamespace(batch_idx=0),
            num_training_batches=2,
            is_last_batch=False,
            training=True,
        )
        self.values, self.images, self.own = {}, {}, train_log.TrainLog()

    def tell(self, name, value, batch_size=None, reduce_fx="mean", **_):
        if name == "train/lr":  # the largest
            return
        value = value if value.dtype == torch.float64 else value.float()
        if reduce_fx == "sum":
            batch_size = 1  # of values, whatever the size
        batch_size = IMAGES[self.rank] if batch_size is None else batch_size
        if reduce_fx in ("max", "min"):
            before = self.values.get(name, torch.tensor({"max": -FAR, "min": FAR}[reduce_fx]))
            self.values[name] = getattr(torch, f"{reduce_fx}imum")(before, value)
            return
        self.values[name] = self.values.get(name, torch.tensor(0.0)) + value * batch_size
        if reduce_fx == "mean":
            self.images[name] = self.images.get(name, torch.tensor(0)) + batch_size

    def train(self, steps):
        for terms in steps:
            self.own.log(self, IMAGES[self.rank], terms, {})


@pytest.fixture
def together(monkeypatch):
    """Return a function that lets a process be of so many, who ask for a checkpoint in turn."""
    gathered = []

    def gather(parts, mine):
        gathered.append(mine)  # the last one who asks has all
        parts[:] = gathered[-len(parts) :]

    def be(rank, count):
        monkeypatch.setattr(epoch_sums, "processes", lambda: count)
        monkeypatch.setattr(epoch_sums, "own_rank", lambda: rank)

    monkeypatch.setattr(epoch_sums.dist, "all_gather_object", gather)
    return be


def cut(processes, together):
    """Return the checkpoint in which several processes keep their sums."""
    for process in processes:
        together(process.rank, len(processes))
        checkpoint = {}
        process.own.save(process.trainer, checkpoint)
    stream = io.BytesIO()
    torch.save(checkpoint, stream)
    stream.seek(0)
    return torch.load(stream, weights_only=True)


def resumed(checkpoint, count, together):
    """Return so many processes that go on."""
    processes = [Process(rank) for rank in range(count)]
    for process in processes:
        together(process.rank, count)
        process.own.load(checkpoint)
    return processes


def steps(seed, count=9, names=("loss", "extra")):
    """Return the terms of so many steps, of several precisions."""
    kinds = {"loss": torch.float32, "extra": torch.float64, "half": torch.bfloat16}
    draw = torch.Generator().manual_seed(seed)
    return [
        {name: torch.rand((), generator=draw).to(kinds[name]) + 3 for name in names}
        for _ in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("names", [("loss", "extra"), ("loss", "half")])
def test_each_process_goes_on_from_its_own_sums(together, count, names):
    """Trap: a mean times its images is not the sum that it was made of. Cut twice."""
    for seed in range(20):
        given = [steps(100 * seed + rank, names=names) for rank in range(count)]
        whole = [Process(rank) for rank in range(count)]
        parts = [Process(rank) for rank in range(count)]
        for process in whole:
            process.train(given[process.rank])
        for begin, end in ((0, 4), (4, 5), (5, 9)):
            for process in parts:
                process.train(given[process.rank][begin:end])
            if end < 9:
                parts = resumed(cut(parts, together), count, together)
        for process, other in zip(parts, whole, strict=True):
            assert process.values == other.values
            assert process.images == other.images
            assert all(v.dtype == other.values[k].dtype for k, v in process.values.items())


def test_what_is_no_term_of_the_loss_goes_on_too(together):
    """Trap: tde_alpha and the skipped batches of a cut epoch were those of its second part."""

    def train(process, given):
        for terms in given:
            process.own.count(process, "skipped", terms["loss"].round())
            process.own.log(process, 7, {"loss": terms["loss"]}, {"alpha": terms["extra"]})

    given = [steps(rank) for rank in range(2)]
    whole, parts = ([Process(rank) for rank in range(2)] for _ in range(2))
    for rank in range(2):
        train(whole[rank], given[rank])
        train(parts[rank], given[rank][:4])
    parts = resumed(cut(parts, together), 2, together)
    for process, other, more in zip(parts, whole, given, strict=True):
        train(process, more[4:])
        assert process.values == other.values
        assert set(process.values) == {"train/loss", "alpha", "train/skipped"}
        assert process.values["train/skipped"] == sum(terms["loss"].round() for terms in more)


def train_aloud(process, given):
    """Take steps that log by themselves, as a method does by `self.log`."""
    for terms in given:
        for rule in ("mean", "sum", "max", "min"):
            options = {"on_epoch": True, "on_step": False, "reduce_fx": rule}
            if rule == "sum":
                options["batch_size"] = 5
            process.own.keep(process, f"own/{rule}", terms["extra"], (), options)
            process.tell(f"own/{rule}", terms["extra"], **options)
        process.own.log(process, IMAGES[process.rank], {"loss": terms["loss"]}, {})


@pytest.mark.parametrize("count", [1, 2])
def test_what_a_method_logs_by_itself_goes_on_bit_for_bit(together, count):
    given = [steps(rank) for rank in range(count)]
    whole, parts = ([Process(rank) for rank in range(count)] for _ in range(2))
    for rank in range(count):
        train_aloud(whole[rank], given[rank])
        train_aloud(parts[rank], given[rank][:4])
    parts = resumed(cut(parts, together), count, together)
    for process, other, more in zip(parts, whole, given, strict=True):
        train_aloud(process, more[4:])
        assert process.values == other.values
        assert process.images == other.images
        drawn = [float(terms["extra"]) for terms in more]
        assert process.values["own/max"] == max(drawn)
        assert process.values["own/min"] == min(drawn)


def test_the_largest_of_all_is_with_the_first_of_other_processes(together):
    """Trap: a process that has nothing would tell of 0, which is less than the smallest."""
    given = [steps(rank, 2) for rank in range(2)]
    before = [Process(rank) for rank in range(2)]
    for process in before:
        train_aloud(process, given[process.rank])
    after = resumed(cut(before, together), 3, together)
    for process in after:
        process.own.log(process, 7, {"loss": torch.tensor(1.0)}, {})
    drawn = [float(terms["extra"]) for part in given for terms in part]
    assert after[0].values["own/max"] == max(drawn)
    assert after[0].values["own/min"] == min(drawn)
    assert after[0].values["own/sum"] == pytest.approx(sum(drawn))
    assert all(process.values["own/sum"] == 0 for process in after[1:])
    assert all(process.values["own/min"] == FAR for process in after[1:])


def test_on_another_number_of_processes_the_first_has_all(together):
    given = [steps(rank) for rank in range(3)]
    before = [Process(rank) for rank in range(3)]
    for process in before:
        process.train(given[process.rank])
    first, second = resumed(cut(before, together), 2, together)
    first.train(steps(3, 1))
    second.train(steps(4, 1))
    for name in ("loss", "extra"):
        key = f"train/{name}"
        total = sum(float(process.values[key]) for process in before)
        added = IMAGES[0] * float(steps(3, 1)[0][name])
        assert float(first.values[key]) == pytest.approx(total + added, rel=1e-6)
        assert first.images[key] == 9 * sum(IMAGES) + IMAGES[0]
        assert second.values[key] == IMAGES[1] * steps(4, 1)[0][name]
        assert second.images[key] == IMAGES[1]


def test_a_term_that_is_logged_in_one_part_only_is_the_mean_of_its_own_images(together):
    (process,) = before = [Process(0)]
    process.train(steps(0, 2, ("loss",)))
    process.train(steps(1, 1))
    (after,) = resumed(cut(before, together), 1, together)
    after.train(steps(2, 1, ("loss",)))
    assert after.images["train/extra"] == IMAGES[0]
    assert after.values["train/extra"] == process.values["train/extra"]
    assert after.images["train/loss"] == 4 * IMAGES[0]


def test_a_term_that_one_process_has_not_logged_yet_is_none_for_others_to_wait_for(together):
    before = [Process(rank) for rank in range(2)]
    before[0].train(steps(0, 2))
    before[1].train(steps(1, 2, ("loss",)))
    for count in (2, 3):
        after = resumed(cut(before, together), count, together)
        for process in after:
            process.train(steps(2, 1, ("loss",)))
        assert [list(process.images) for process in after] == [
            ["train/loss", "train/extra"]
        ] * count
        assert [process.images["train/extra"] for process in after][:2] == [2 * IMAGES[0], 0]


@pytest.mark.parametrize("count", [1, 2])
def test_the_totals_of_an_earlier_version_go_to_the_first_process(together, count):
    state = {"epoch": 1, "count": 64, "sums": {"loss": 200.5}}
    for process in resumed({EPOCH_SUMS: state}, count, together):
        process.train([{"loss": torch.tensor(3.0)}])
        own = 3 * IMAGES[process.rank]
        assert process.values["train/loss"] == own + (200.5 if process.rank == 0 else 0)
        assert process.images["train/loss"] == IMAGES[process.rank] + (
            64 if not process.rank else 0
        )


def test_another_epoch_begins_anew(together):
    (process,) = resumed(
        {EPOCH_SUMS: {"epoch": 1, "count": 64, "sums": {"loss": 200.5}}}, 1, together
    )
    process.current_epoch = 2
    process.train([{"loss": torch.tensor(3.0)}])
    assert process.images["train/loss"] == IMAGES[0]

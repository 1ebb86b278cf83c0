"""Every mistake gets one sentence with the value and the remedy, and nothing is lost."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest


class Case(NamedTuple):
    """A mistake.

    id: what is wrong.
    line: the command line; {names} are made by the fixture `place`, {yaml} holds `yaml`.
    says: words that the sentence must hold, separated by "|".
    status: 2 for a command line that is refused, 1 for a run that fails.
    yaml: content of a config file.
    """

    id: str
    line: str
    says: str
    status: int = 2
    yaml: str = ""


FIT = "fit {quick}"
PRETRAIN = FIT + " --pretrain.config {configs}/ssp_rotation.yaml"
FOLDER = "fit {quick} --data.profile AsIs --data.source ImageFolder --data.root"
CASES = [
    # the command
    Case("command", "fti", "'fti'|did you mean 'lt fit'"),
    Case("usual-command", "train --model ERM", "'train'|did you mean 'lt fit'"),
    Case("methods-argument", "methods BBN", "'BBN'"),
    Case("word", "fit ERM", "'ERM' is no option"),
    Case("config-word", "fit {configs}/ce.yaml", "did you mean '--config |ce.yaml'"),
    Case("one-dash", "fit -help", "'-help'|'--help'"),
    Case("no-value", "fit --model", "--model stands alone"),
    Case("no-method", "fit", "no method is given|configs/ce.yaml|BBN"),
    # keys
    Case("key", FIT + " --model.los LDAM", "'model.los'|did you mean 'model.loss'"),
    Case("deep-key", FIT + " --model.loss.gamma 3", "'model.loss.gamma'|reduction, weights"),
    Case("key-of-default", FIT + " --data.source.sise 3", "did you mean 'data.source.size'"),
    Case("lr", FIT + " --lr 3", "'lr'|did you mean 'model.optimizer.lr'"),
    Case("epochs", FIT + " --epochs 3", "did you mean 'trainer.max_epochs'"),
    Case("imb-factor", FIT + " --imb_factor 0.01", "'data.profile.imbalance_ratio'"),
    Case("no-optimizer", FIT + " --model.optimizer.lr 3", "--model.optimizer.lr|SGD"),
    Case("option-as-group", FIT + " --trainer 3", "trainer is '3'|one by one"),
    # classes
    Case("method", "fit --model LDMA", "'LDMA'|BBN|LDAM is listed under Losses"),
    Case("loss-as-method", "fit --model LDAM", "'LDAM'|ERM|LDAM is listed under Losses"),
    Case("case", FIT + " --model.loss ldam", "did you mean 'LDAM'"),
    Case("loss", FIT + " --model.loss LDMA", "model.loss is 'LDMA'|did you mean 'LDAM'"),
    Case("sampler", FIT + " --data.sampler Reversd", "did you mean 'Reversed'"),
    Case("optimizer", FIT + " --model.optimizer Addam", "did you mean 'Adam'"),
    Case("class-help", "fit --model.help LDMA", "did you mean 'LDAM'"),
    # types
    Case("type", FIT + " --trainer.max_epochs many", "'many'|a whole number"),
    Case("real", FIT + " --data.batch_size 2.5", "'2.5'|a whole number"),
    Case("choice", FIT + " --checkpoint.mode maxx", "did you mean 'max'"),
    Case("precision", FIT + " --trainer.precision fp8", "'fp8'|bf16-mixed"),
    # values
    Case("ratio", FIT + " --data.profile.imbalance_ratio 0.01", "is 0.01|1 or more", 1),
    Case("tail-empty", FIT + " --data.profile.imbalance_ratio 999", "no training image|[7", 1),
    Case("batch", FIT + " --data.batch_size -3", "batch_size is -3|1 or more", 1),
    Case("depth", FIT + " --model.backbone.depth 31", "depth is 31|8, 20, 32", 1),
    Case("no-epoch", FIT + " --trainer.max_epochs 0", "max_epochs is 0|1 or more"),
    Case("no-batch", FIT + " --trainer.limit_train_batches 0", "limit_train_batches|trained"),
    Case("devices", FIT + " --trainer.devices two", "'two'|a number from 1 on"),
    Case("no-device", FIT + " --trainer.devices 0", "trainer.devices is '0'"),
    Case("accelerator", FIT + " --trainer.accelerator gpuu", "did you mean 'gpu'"),
    Case("strategy", FIT + " --trainer.strategy ddpp", "did you mean 'ddp'"),
    Case("barebones", FIT + " --trainer.barebones true", "barebones|record"),
    Case("root-dir", FIT + " --trainer.default_root_dir x", "--runs"),
    Case("every-n", FIT + " --checkpoint.every_n_steps 0", "every_n_steps is 0", 1),
    Case("fraction", FIT + " --data.holdout.fraction 1.5", "1.5|between 0 and 1", 1),
    Case(
        "two-val",
        FIT + " --data.monitor_test true --data.holdout.fraction 0.1",
        "monitor_test|holdout|give one",
        1,
    ),
    Case(
        "learning-rate",
        FIT + " --model.optimizer SGD --model.optimizer.lr -1",
        "learning rate: -1",
        1,
    ),
    Case(
        "infinite",
        FIT + " --model.optimizer SGD --model.optimizer.lr 1e30 --trainer.max_epochs 2",
        "NaN or infinite in epoch 0|step|--trainer.gradient_clip_val",
        1,
    ),
    Case(
        "monitor",
        FIT + " --data.holdout.fraction 0.2 --checkpoint.monitor val/macro",
        "checkpoint.monitor is 'val/macro'|val/acc_macro",
        1,
    ),
    Case("class-needed", FIT + " --trainer.callbacks EarlyStopping", "callbacks.monitor"),
    Case(
        "early-stopping",
        FIT + " --trainer.callbacks EarlyStopping --trainer.callbacks.monitor val/foo",
        "`val/foo` which is not available|`train/loss`",
        1,
    ),
    # what does not go together
    Case("unlabelled-erm", FIT + " --data.unlabelled LeftOver", "labelled images alone|null", 1),
    Case("no-teacher", "fit --model PseudoLabel --data.unlabelled LeftOver", "--model.teacher", 1),
    Case("teacher", "fit --model PseudoLabel --model.teacher no", "There is no run no", 1),
    Case("causal-heads", "fit --model CausalTDE --model.head.num_heads 3", "num_heads is 3|128", 1),
    Case("bbn-one-stream", "fit --model BBN", "reversed, uniform|data.samplers|bbn.yaml", 1),
    Case(
        "hybrid-one-stream",
        "fit --model HybridContrastive",
        "classifier, features|data.samplers|hybrid_sc.yaml",
        1,
    ),
    Case("erm-two-streams", FIT + " --data.samplers.uniform Reversed", "--data.samplers null", 1),
    Case("stream-typo", "fit --config {configs}/bbn.yaml --data.samplers.reversed Foo", "'Foo'"),
    Case("linear-margin", FIT + " --model.loss LDAM", "cosine|--model.head CosineHead", 1),
    Case(
        "two-scales",
        FIT + " --model.loss LDAM --model.head CosineHead --model.head.scale 7",
        "scale 30|scale 7|the same",
        1,
    ),
    Case("bare-cosines", FIT + " --model.head CosineHead --model.head.scale 1", "[-1, 1]|30", 1),
    Case(
        "beta",
        FIT + " --model.loss CrossEntropy --model.loss.weights EffectiveNumber "
        "--model.loss.weights.beta 1.0",
        "beta is 1.0|[0, 1)",
        1,
    ),
    Case(
        "negative-beta",
        FIT + " --data.sampler EffectiveNumberBalanced --data.sampler.beta -0.1",
        "beta is -0.1|from 0",
        1,
    ),
    Case(
        "bias-of-nothing",
        FIT + " --model.head LinearHead --model.head.bias false --model.head.bias_init sigmoid",
        "bias_init is sigmoid|leave out one",
        1,
    ),
    Case(
        "sampler-beside-samplers",
        "fit --config {configs}/ssp_moco.yaml {digits} --data.sampler ClassBalanced",
        "data.sampler is ClassBalanced|--data.samplers.images ClassBalanced",
        1,
    ),
    Case(
        "batch-of-one",
        "fit --config {configs}/ssp_simsiam.yaml {digits} --data.batch_size 1",
        "batch_size is 1|2 or more",
        1,
    ),
    Case(
        "last-batch-of-one",
        "fit --config {configs}/ssp_simsiam.yaml {digits} --data.drop_last false",
        "one image|--data.drop_last true",
        1,
    ),
    Case("views-type", FIT + " --data.views.images two", "data.views.images is 'two'|whole number"),
    # a pre-training and its run
    Case(
        "pretrain-nothing",
        FIT + " --pretrain.options trainer.max_epochs=1",
        "no pre-training|--pretrain.config",
    ),
    Case("pretrain-quote", PRETRAIN + ' --pretrain.options "\'"', 'has "\'"|KEY=VALUE'),
    Case("pretrain-blank", PRETRAIN + " --pretrain.options \"''\"", "has ''|KEY=VALUE"),
    Case(
        "pretrain-type",
        PRETRAIN + " --pretrain.options trainer.max_epochs=many",
        "pre-training by |ssp_rotation.yaml: trainer.max_epochs is 'many'",
    ),
    Case(
        "pretrain-other-backbone",
        "fit --config {configs}/ce.yaml {digits} --pretrain.config bbn.yaml",
        "pre-training by |bbn.yaml: model.backbone is",
    ),
    Case(
        "pretrain-and-stage1",
        "fit --config {configs}/crt.yaml {digits} --model.stage1_ckpt {run} "
        "--pretrain.config ssp_rotation.yaml",
        "stage1_ckpt and pretrain.config|leave out the second",
    ),
    # config files
    Case("config", "fit --config nonexistent.yaml", "nonexistent.yaml does not exist"),
    Case("config-typo", "fit --config {configs}/bnn.yaml", "bnn.yaml|did you mean|bbn.yaml"),
    Case("config-folder", "fit --config {configs}", "is a folder"),
    Case("config-alone", "fit --config", "--config stands alone"),
    Case("yaml-empty", "fit --config {yaml}", "bad.yaml holds nothing", yaml="\n"),
    Case("yaml-list", "fit --config {yaml}", "bad.yaml holds a list", yaml="- 1\n- 2\n"),
    Case("yaml-text", "fit --config {yaml}", "bad.yaml holds a text", yaml="hello"),
    Case("yaml-syntax", "fit --config {yaml}", "bad.yaml|line 2", yaml="model: {a: 1\nb: 2"),
    Case("yaml-tab", "fit --config {yaml}", "bad.yaml|line 2", yaml="model:\n\ta: 1"),
    Case("yaml-twice", "fit --config {yaml}", "'a' stands there twice|line 2", yaml="a: 1\na: 2"),
    Case("yaml-key", "fit --config {yaml}", "bad.yaml|'modle'|'model'", yaml="modle: ERM"),
    Case(
        "yaml-deep-key",
        "fit --config {configs}/ce.yaml --config {yaml}",
        "bad.yaml|'model.los'|did you mean 'model.loss'",
        yaml="model: {init_args: {los: {class_path: LDAM}}}",
    ),
    Case(
        "yaml-class",
        "fit --config {yaml}",
        "bad.yaml|data.profile is 'Exponental'|'Exponential'",
        yaml="{model: {class_path: ERM}, data: {profile: {class_path: Exponental}}}",
    ),
    Case(
        "yaml-type",
        "fit --config {yaml} --data.batch_size 8",
        "bad.yaml|trainer.max_epochs is 'many'|whole number",
        yaml="{model: {class_path: ERM}, trainer: {max_epochs: many}}",
    ),
    Case("yaml-group", "fit --config {yaml}", "bad.yaml|is 3", yaml="{model: ERM, trainer: 3}"),
    Case("yaml-null", "fit --config {yaml}", "bad.yaml|data is null", yaml="{model: ERM, data: }"),
    # data
    Case("root", FOLDER + " nowhere", "nowhere is not a folder|--data.root", 1),
    Case("flat-folder", FOLDER + " {flat}", "0 class folders", 1),
    Case("empty-class", FOLDER + " {empty_class}", "owl holds no image", 1),
    Case("more-in-test", FOLDER + " {more_in_test}", "'owl'|no training images", 1),
    Case("only-train", FOLDER + " {only_train}", "no test/", 1),
    Case("no-test", FOLDER + " {tree}", "--data.source.test_fraction", 1),
    Case("torn-image", FOLDER + " {torn}", "dog/1.png cannot be read|unreadable skip", 1),
    Case(
        "cifar",
        "fit --config {configs}/ce.yaml --data.root {empty}",
        "CIFAR10|cifar-10-python.tar.gz|configs/data/digits.yaml",
        1,
    ),
    # checkpoints and runs
    Case("no-checkpoint", FIT + " --ckpt_path x.ckpt", "no run x.ckpt", 1),
    Case("url", FIT + " --ckpt_path http://a.b/c.ckpt", "is a URL|from disk", 1),
    Case("stray", FIT + " --ckpt_path {stray}", "last.ckpt lies in no run folder", 1),
    Case("cut", FIT + " --ckpt_path {cut}", "last.ckpt is damaged or cut short", 1),
    Case("cut-test", "test {cut}", "last.ckpt is damaged or cut short", 1),
    Case("pickle", FIT + " --ckpt_path {pickle}", "Python objects|refused", 1),
    Case("pickle-predict", "predict {pickle} --images {flat} --out x.csv", "Python objects", 1),
    Case("tensor", "test {tensor_file}", "no checkpoint of a run", 1),
    Case("other-method", FIT + " --ckpt_path {of_bbn}", "holds BBN|asks for ERM", 1),
    Case("other-classes", FIT + " --ckpt_path {of_five_classes}", "5 classes|data have 10", 1),
    Case(
        "other-network",
        "test {run} --model.backbone.depth 14",
        "last.ckpt was trained with model.backbone.depth 8|config has 14",
        1,
    ),
    Case(
        "other-rate",
        FIT + " --model.optimizer SGD --model.optimizer.lr 9 --ckpt_path {copy}",
        "model.optimizer sgd|config has SGD",
        1,
    ),
    Case("other-weights", "test {of_other_shape}", "does not fit|head.weight|trained with", 1),
    Case("other-images", "test {run} --data.profile.imbalance_ratio 10", "another run", 1),
    Case("resume-other-images", FIT + " --ckpt_path {copy}", "another run", 1),
    Case("run-exists", FIT + " --name held --version 0 --runs {run}/../..", "never overwrit", 1),
    Case("runs-is-file", FIT + " --runs {file}/x", "cannot be used|--runs", 1),
    # commands on a run
    Case("test-nothing", "test", "lt test needs a run"),
    Case("test-no-run", "test nowhere", "no run nowhere", 1),
    Case("test-empty", "test {empty}", "no config.yaml", 1),
    Case("test-config", "test {configs}/ce.yaml", "in no run folder", 1),
    Case("test-ckpt-path", "test {run} --ckpt_path x", "RUN/checkpoints/last.ckpt"),
    Case("test-no-best", "test {no_split} --best", "no best.ckpt|held-out images|--best", 1),
    Case("test-early", "test {no_last}", "no last.ckpt|stopped before", 1),
    Case("test-damaged", "test {damaged_config}", "config.yaml is damaged", 1),
    Case("validate-no-split", "validate {no_split}", "no validation split|lt test", 1),
    Case("post-hoc", "test {run} --post_hoc LogitAdjust", "did you mean 'LogitAdjuster'"),
    Case("post-hoc-no-class", "test {run} --post_hoc.tau 1", "--post_hoc before it"),
    Case("tau", "test {run} --post_hoc LogitAdjuster --post_hoc.tau -1", "tau is -1|0 or more", 1),
    Case(
        "tau-and-where",
        "test {run} --post_hoc TauNormalization --post_hoc.fit_on training",
        "fit_on is training|tau is 1.0|--post_hoc.tau null",
        1,
    ),
    Case(
        "temperature",
        "test {run} --post_hoc TemperatureScaling --post_hoc.temperature 0",
        "temperature is 0.0|above 0",
        1,
    ),
    Case(
        "decay",
        "test {run} --post_hoc VectorScalingCalibration --post_hoc.decay -1",
        "decay is -1.0|0 or more",
        1,
    ),
    Case("calibrate-nothing", "calibrate", "lt calibrate needs a run"),
    Case("calibrate-no-images", "calibrate {no_split}", "no held-out images", 1),
    Case("cam-nothing", "cam", "RUN"),
    Case("cam-no-run", "cam nowhere", "no run nowhere", 1),
    Case("report-nothing", "report", "RUN"),
    Case("report-empty", "report {empty}", "no finished run", 1),
    Case("report-format", "report {run} --format pdf", "'pdf'|text, md, csv"),
    Case("report-in-file", "report {run} --out {file}/x.html", "x.html|check the path", 1),
    Case("report-two-formats", "report {run} --format csv --out x.html", "'csv'|'x.html'"),
    Case("report-option", "report {run} --newst", "--newst"),
    Case("predict-nothing", "predict", "RUN, --images, --out"),
    Case("predict-no-image", "predict {run} --images {empty} --out x.csv", "holds no image", 1),
    Case("predict-no-folder", "predict {run} --images nowhere --out x.csv", "not a folder", 1),
    Case("predict-out", "predict {run} --images {flat} --out {file}/x.csv", "--out", 1),
    Case("predict-out-folder", "predict {run} --images {flat} --out {empty}", "--out", 1),
    Case("predict-device", "predict {run} --images {flat} --out x --device gpu", "'gpu'", 1),
    Case(
        "predict-torn",
        "predict {run} --images {torn} --out x.csv",
        "dog/1.png cannot be read|--skip_unreadable",
        1,
    ),
]
# What a run may say before it fails.
_PROGRESS = re.compile(r"lt: (\d+ training images, fingerprint|epoch \d+/|pre-training by \S+ in )")


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_input_gets_one_sentence(
    case: Case,
    lt: Callable,
    place: dict[str, str],
    snapshot: Callable[[Path], dict[Path, bytes]],
    tmp_path: Path,
) -> None:
    if case.yaml:
        place["yaml"] = str(tmp_path / "bad.yaml")
        (tmp_path / "bad.yaml").write_text(case.yaml, encoding="utf-8")
    line = case.line.format_map(place)
    folders = [tmp_path, *(Path(place["run"]) for _ in "x" if "run" in place)]
    before = {path: text for folder in folders for path, text in snapshot(folder).items()}

    answer = lt(line)

    lines = [text for text in answer.err.splitlines() if not _PROGRESS.match(text)]
    assert len(lines) == 1, answer.err
    sentence = lines[0].removeprefix("lt: ")
    assert lines[0].startswith("lt: ")
    assert re.search(r"[.?]$", sentence), sentence
    assert not re.search(r"[.!?] [A-Z]", sentence), sentence
    assert [word for word in case.says.split("|") if word not in sentence] == [], sentence
    assert answer.status == case.status
    after = {path: path.read_bytes() for path in before if path.is_file()}
    assert [path for path in before if after.get(path) != before[path]] == []
    assert not (tmp_path / "was_run").exists()
    assert list(tmp_path.rglob("*.part")) == []

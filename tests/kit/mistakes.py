"""The mistakes of test_bad_input.py: on the command line, and what does not go together."""

from typing import NamedTuple


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
OPTIONS = [
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
    Case("option-as-group", FIT + " --trainer 3", "trainer is '3'|one by one"),
    # classes
    Case("method", "fit --model LDMA", "'LDMA'|BBN|LDAM is listed under Losses"),
    Case("loss-as-method", "fit --model LDAM", "'LDAM'|ERM|LDAM is listed under Losses"),
    Case("case", FIT + " --model.loss ldam", "did you mean 'LDAM'"),
    Case("loss", FIT + " --model.loss LDMA", "model.loss is 'LDMA'|did you mean 'LDAM'"),
    Case("sampler", FIT + " --data.sampler Reversd", "did you mean 'Reversed'"),
    Case("optimizer", FIT + " --model.optimizer Addam", "did you mean 'Adam'"),
    Case("class-help", "fit --model.help LDMA", "did you mean 'LDAM'"),
    Case("help-of-python", "fit --model.help os.system", "help: os.system is of Python itself"),
    Case(
        "argument-of-python",
        FIT + " --model.optimizer '{{class_path: torch.distributed.optim.ZeroRedundancyOptimizer, "
        "init_args: {{optimizer_class: os.system}}}}'",
        "optimizer_class: os.system is of Python itself and is never built: give another value",
    ),
    # classes of Lightning and torch, by what their authors say
    Case(
        "callback-refuses",
        FIT + " --trainer.callbacks EarlyStopping --trainer.callbacks.monitor val/acc "
        "--trainer.callbacks.mode x",
        "trainer.callbacks is lightning|EarlyStopping (monitor='val/acc', mode='x'), which cannot "
        "be built (|`mode` can be min, max, got x): change its options, or leave it out.",
    ),
    Case(
        "strategy-refuses",
        FIT + " --trainer.strategy '{{class_path: "
        "lightning.pytorch.strategies.SingleDeviceStrategy, init_args: {{device: x}}}}'",
        "trainer.strategy is lightning|(device='x')|RuntimeError: Expected one of cpu",
    ),
    Case(
        "plugin-refuses",
        FIT + " --trainer.plugins lightning.pytorch.plugins.environments.LSFEnvironment",
        "trainer.plugins is lightning|LSFEnvironment, which cannot|`LSB_DJOB_RANKFILE`",
    ),
    Case(
        "optimizer-fails",
        FIT + " --model.optimizer Adam --model.optimizer.capturable true",
        "model.optimizer is torch.optim.Adam (|capturable=True|failed (AssertionError: |LT_DEBUG",
        1,
    ),
    Case(
        "callback-fails",
        FIT + " --trainer.callbacks ModelPruning --trainer.callbacks.pruning_fn l1_unstructured",
        "callbacks.ModelPruning (pruning_fn='l1_unstructured'|failed (RuntimeError: view size",
        1,
    ),
    Case(
        "trainer-refuses",
        FIT + " --trainer.callbacks '[{{class_path: ModelCheckpoint}}, {{class_path: "
        "ModelCheckpoint}}]'",
        "the trainer cannot be built from its options (RuntimeError: Found more than one",
        1,
    ),
    Case(
        "callback-of-every-run",
        FIT + " --trainer.callbacks lt_lightning.callbacks.RunRecord",
        "run_record.RunRecord, which the run has without it: leave it out",
    ),
    Case(
        "asynchronous",
        FIT + " --trainer.plugins lightning.pytorch.plugins.io.AsyncCheckpointIO",
        "trainer.plugins has AsyncCheckpointIO|leave it out",
    ),
    Case("xla", FIT + " --trainer.profiler xla", "trainer.profiler is xla|torch_xla"),
    # texts that YAML takes for nothing
    Case("comment", FIT + " --name '#a'", "name is '#a', which YAML takes for nothing: begin"),
    Case("anchor", FIT + " '--version=&a'", "version is '&a', which YAML takes for nothing"),
    Case("no-content", FIT + " --trainer.callbacks '#a'", "trainer.callbacks is '#a', which YAML"),
    # types
    Case("type", FIT + " --trainer.max_epochs many", "'many'|a whole number"),
    Case("real", FIT + " --data.batch_size 2.5", "'2.5'|a whole number"),
    Case(
        "colour",
        FIT + " --data.source ImageFolder --data.source.background [0,0]",
        "data.source.background is '[0, 0]'|a list of 3 whole numbers",
    ),
    Case("choice", FIT + " --checkpoint.mode maxx", "did you mean 'max'"),
    Case("precision", FIT + " --trainer.precision fp8", "'fp8'|bf16-mixed"),
    # values
    Case("ratio", FIT + " --data.profile.imbalance_ratio 0.01", "is 0.01|1 or more", 1),
    Case("tail-empty", FIT + " --data.profile.imbalance_ratio 999", "no training image|[7", 1),
    Case("batch", FIT + " --data.batch_size -3", "batch_size is -3|1 or more", 1),
    Case("depth", FIT + " --model.backbone.depth 31", "depth is 31|8, 20, 32", 1),
    Case("no-epoch", FIT + " --trainer.max_epochs 0", "max_epochs is 0|1 or more"),
    Case("no-batch", FIT + " --trainer.limit_train_batches 0", "limit_train_batches|trained"),
    Case("no-step", FIT + " --trainer.max_steps 0", "trainer.max_steps is 0|-1 for no limit"),
    Case(
        "beyond-64-bits", FIT + f" --data.batch_size {2**63}", f"data.batch_size is {2**63}|64 bits"
    ),
    Case("deep-beyond-64-bits", FIT + f" --model.backbone.width {10**80}", "width is|81 digits"),
    Case("timer", FIT + " --trainer.callbacks Timer", "Timer|--trainer.max_time"),
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
    Case("lbfgs", FIT + " --model.optimizer LBFGS", "the optimizer cannot train|SGD", 1),
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
        "beta is -0.1|[0, 1)",
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
    Case(
        "equal-views",
        "fit --config {configs}/ssp_moco.yaml {digits} --data.augment null",
        "data.views.images is 2|equal|leave out --data.augment null",
        1,
    ),
    Case(
        "stage2-epochs",
        "fit --config {configs}/crt.yaml --config {configs}/data/digits.yaml "
        "--model.stage1_epochs 5 --model.stage2_epochs -5",
        "stage1_epochs is 5 and stage2_epochs -5",
        1,
    ),
    Case("pretrain-of-test", "test {run} --pretrain.config x", "--pretrain.config is for lt"),
    Case("pretrain-nested", PRETRAIN + " --pretrain.options pretrain.config=x.yaml", "of its own"),
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
]

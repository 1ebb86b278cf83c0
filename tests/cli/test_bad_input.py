"""Every mistake gets one sentence with the value and the remedy, and nothing is lost."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from mistakes import OPTIONS, Case
from mistakes_in_files import FILES

# What a run may say before it fails.
_PROGRESS = re.compile(r"lt: (\d+ training images, fingerprint|epoch \d+/|pre-training by \S+ in )")


# These build a model or train a pre-training first; what they try is also tried by tests/fuzz and
# by the tests of the parts that refuse it.
_SLOW = set(
    """
    accelerator bare-cosines barebones batch batch-of-one bbn-one-stream beta beyond-64-bits
    bias-of-nothing calibrate-no-images cifar class-needed cut-test decay deep-beyond-64-bits
    depth devices early-stopping equal-views erm-two-streams every-n flat-folder
    hybrid-one-stream infinite last-batch-of-one lbfgs learning-rate linear-margin monitor
    more-in-test negative-beta no-batch no-checkpoint no-device no-epoch no-method no-step
    no-teacher no-test only-train other-classes other-images other-method other-network
    other-rate other-weights pickle pretrain-and-stage1 pretrain-blank pretrain-nested
    pretrain-nothing pretrain-of-test pretrain-other-backbone pretrain-quote pretrain-type
    ratio resume-other-images root root-dir run-exists runs-is-file sampler-beside-samplers
    stage2-epochs strategy stray tail-empty tau tau-and-where temperature tensor timer
    two-scales two-val url validate-no-split yaml-group
    """.split()
)
assert {case.id for case in OPTIONS + FILES} >= _SLOW


def _case(case: Case) -> object:
    return pytest.param(case, id=case.id, marks=[pytest.mark.slow] if case.id in _SLOW else [])


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("case", [_case(case) for case in OPTIONS + FILES])
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

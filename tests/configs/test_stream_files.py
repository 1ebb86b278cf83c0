"""The sentence about missing samplers names a config that has them."""

import re
from pathlib import Path

import pytest
import yaml

from lt_lightning import methods
from lt_lightning.cli.checks import check_streams
from lt_lightning.errors import UserError

CONFIGS = Path(__file__).parents[2] / "configs"
WITH_STREAMS = sorted(
    name
    for name in methods.__all__
    if getattr(getattr(methods, name), "streams", ())
    and not getattr(getattr(methods, name), "__abstractmethods__", None)
    and name != "TwoStage"  # the base of the methods in two stages
)


class _NoSamplers:
    samplers = None


@pytest.mark.parametrize("name", WITH_STREAMS)
def test_the_config_that_is_named_is_there_and_has_the_samplers(name):
    method = getattr(methods, name)
    with pytest.raises(UserError, match="needs the samplers") as raised:
        check_streams(_NoSamplers(), method.__new__(method))
    named = re.search(r"configs/(\w+\.yaml)", str(raised.value))
    content = yaml.safe_load((CONFIGS / named[1]).read_text(encoding="utf-8"))
    assert content["model"]["class_path"] == name
    assert sorted(content["data"]["samplers"]) == sorted(method.streams)

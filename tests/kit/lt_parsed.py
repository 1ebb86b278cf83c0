"""A command line through the parser of `lt` and no further."""

import pytest

_PARSERS = {}  # by command: what LightningCLI's setup_parser sets, for a parser takes a while


class Enough(BaseException):
    """The command came to where it was to be stopped."""


def _set_up_once(own):
    def setup_parser(cli, *args, **kwargs):
        kept = _PARSERS.get(cli.argv[0])
        if kept is not None:
            vars(cli).update(kept)
            return
        before = set(vars(cli))
        own(cli, *args, **kwargs)
        found = {name: value for name, value in vars(cli).items() if name not in before}
        _PARSERS[cli.argv[0]] = found

    return setup_parser


def stopped(lt, monkeypatch, pick, *at):
    """Return a function that runs `lt` up to a method `at` of LTCLI, and what it picks there."""
    from lt_lightning.cli.app import LTCLI

    found = []

    monkeypatch.setattr(LTCLI, "setup_parser", _set_up_once(LTCLI.setup_parser))
    # The text of the whole config is what a checkpoint keeps; there is none here.
    monkeypatch.setattr(LTCLI, "_dump_config", lambda cli: setattr(cli, "config_dump", {}))

    def stop(cli):
        found.append(pick(cli))
        raise Enough

    for name in at:
        monkeypatch.setattr(LTCLI, name, stop)

    def call(*words):
        try:
            answer = lt(list(map(str, words)))
        except Enough:
            return found.pop()
        return pytest.fail(f"{answer.status} {answer.err}{answer.out}")

    return call

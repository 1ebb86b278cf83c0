"""`lt dashboard`: a workspace in a file or on a server, and what it refuses."""

import json

import pytest
from lt_runs import in_process
from wandb_server import KEY, WandbServer

pytest.importorskip("wandb_workspaces.workspaces")  # its first import warns of its own code


@pytest.fixture
def home(tmp_path):
    """The environment of a user without an account."""
    places = {f"WANDB_{name}_DIR": str(tmp_path / name) for name in ("CACHE", "CONFIG", "DATA")}
    return {"HOME": str(tmp_path), "NETRC": str(tmp_path / "netrc"), **places}


def test_the_workspace_in_a_file_needs_no_account(tmp_path, home):
    file = tmp_path / "new" / "workspace.json"
    answer = in_process(["dashboard", "--project", "lt", "--json", str(file)], **home)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out == f"{file}: the workspace of lt\n"
    sections = json.loads(file.read_text())["section"]["panelBankConfig"]["sections"]
    assert len(sections) == 5
    answer = in_process(["dashboard", "--project", "lt", "--json", str(file)], **home)
    assert answer.status == 1
    assert answer.err == f"lt: --json {file} exists: add --force, or give another name.\n"


@pytest.mark.slow
def test_the_workspace_is_saved_on_the_server(home):
    import wandb

    server = WandbServer()
    try:
        account = {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY, **home}
        answer = in_process(["dashboard", "--project", "lt"], **account)
        wandb.teardown()
    finally:
        server.close()
    assert answer.status == 0, answer.err
    (view,) = server.views
    assert (view["entityName"], view["projectName"]) == ("me", "lt")
    assert "val/acc_few" in view["spec"]
    assert answer.out == f"Workspace: {server.url}/me/lt?nw={view['name'].split('-')[1]}\n"


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ([], 2, "required: --project"),
        (["--project", "lt"], 1, "no API key to save the workspace with: set WANDB_API_KEY"),
        (["--project", " "], 1, "--project is empty: give its name on W&B."),
        (["--project", "lt", "--entity", ""], 2, "--entity has an empty value"),
        (["--project", "lt", "--json", "."], 1, "--json . is a folder"),
    ],
)
def test_a_mistake_is_one_sentence(words, status, says, home):
    answer = in_process(["dashboard", *words], **home)
    assert answer.status == status
    assert says in answer.err
    assert answer.err.count("\n") == 1


def test_a_server_that_cannot_be_reached_is_one_sentence(home, monkeypatch):
    import wandb

    def refuse():
        raise wandb.errors.CommError("Connection refused")

    monkeypatch.setattr(wandb, "Api", refuse)
    answer = in_process(["dashboard", "--project", "lt"], WANDB_API_KEY=KEY, **home)
    assert answer.status == 1
    assert answer.err == (
        "lt: W&B did not take the workspace of lt (Connection refused): check WANDB_API_KEY, the "
        "project and the network, or write it by --json FILE.\n"
    )


def test_without_the_package_the_remedy_is_told(home, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    file = str(tmp_path / "a.json")
    answer = in_process(["dashboard", "--project", "lt", "--json", file], **home)
    assert answer.status == 1
    assert "pip install 'lt_lightning[dashboard]'" in answer.err

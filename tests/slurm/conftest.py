"""A SLURM that is started for the tests and ended with them, and what was shown on it."""

import time

import pytest
from lt_runs import results
from slurm_cluster import Cluster, missing, until
from slurm_jobs import Jobs, words

ROW = "row of the table"


def pytest_terminal_summary(terminalreporter):
    """Show what was done, as a table."""
    reports = terminalreporter.getreports("passed")
    rows = [value for report in reports for key, value in report.user_properties if key == ROW]
    for line in dict.fromkeys(rows):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Return a running SLURM."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    with Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def row(record_property):
    """Return a function that adds a row to the table."""

    def add(what, jobs, began, equal=""):
        seconds = time.monotonic() - began
        record_property(ROW, f"| {what} | {jobs} | {seconds:.0f} | {equal} |")

    return add


@pytest.fixture
def jobs(cluster, tmp_path):
    """Return the jobs of a user in an empty folder; what is left of them is cancelled."""
    own = Jobs(cluster, tmp_path)
    yield own
    own.call("scancel", "--user=root")
    until(lambda: not own.call("squeue", "--noheader").stdout, 120, own.told)


@pytest.fixture(scope="session")
def _done():
    return {}


@pytest.fixture
def undisturbed(cluster, tmp_path_factory, row, _done):
    """Return a function that gives the folder of a run by the shipped file; made once."""

    def get(config, seed=0, *options):
        key = config, seed, options
        if key not in _done:
            began, own = time.monotonic(), Jobs(cluster, tmp_path_factory.mktemp(config))
            job = own.fit(config, words(config), *options, array=str(seed))
            assert own.finished(f"{job}_{seed}")["Restarts"] == "0"
            (_done[key],) = own.runs(f"{config}-digits")
            processes = results(_done[key])["hardware"]["processes"]
            row(f"{config}, seed {seed}, {processes} processes, undisturbed", 1, began)
        return _done[key]

    return get

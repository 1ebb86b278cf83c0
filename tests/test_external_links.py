"""Links of the documents into the world: names of public hosts, and pages that answer."""

import re
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from documents import DOCUMENTS, ROOT

FILES = [*DOCUMENTS, ROOT / "CITATION.cff"]
URL = re.compile(r"https?://[^\s<>()\[\]\"'`]+")
NOT_PUBLIC = ("example", "internal", "invalid", "lan", "local", "localhost", "test")
# The page is there, and asks robots to stay away.
ALIVE = (HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.TOO_MANY_REQUESTS)


def urls(text):
    return {url.rstrip(".,;:") for url in URL.findall(text)}


def is_public(url):
    """Return whether anyone could look at it: a name in a domain that is for all."""
    host = urlsplit(url).hostname or ""
    last = host.rpartition(".")[2]
    return "." in host and last.isalpha() and last not in NOT_PUBLIC


LINKS = sorted(set().union(*(urls(file.read_text("utf-8")) for file in FILES)))


def test_links_are_found():
    assert urls("see [it](https://a.org/b) and <http://c.org>, https://d.org.") == {
        "https://a.org/b",
        "http://c.org",
        "https://d.org",
    }
    assert "https://semver.org" in LINKS


@pytest.mark.parametrize("host", ["build", "10.0.0.1", "ci.internal", "git.host.example:80"])
def test_a_host_that_only_some_can_reach_is_not_public(host):
    assert not is_public(f"https://{host}/page")


@pytest.mark.parametrize("url", LINKS)
def test_links_are_public(url):
    assert is_public(url), f"{url} cannot be reached by readers"


def status(url):
    try:
        with urlopen(Request(url, headers={"User-Agent": "Mozilla/5.0"}), timeout=20) as answer:
            return answer.status
    except HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def network():
    """Skip where even the home of Python does not answer: another dead link is then none."""
    try:
        status("https://www.python.org")
    except OSError as error:
        pytest.skip(f"no network: {error}")


@pytest.mark.slow
@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("url", LINKS)
def test_links_answer(url):
    found = status(url)
    assert found < HTTPStatus.BAD_REQUEST or found in ALIVE, f"{url} answers {found}"

"""Processes of a run that hear each other, here in one process."""

import socket
import time
from multiprocessing.connection import Client

import pytest

from lt_lightning.runs import peers


def until(wanted, seconds=10):
    end = time.monotonic() + seconds
    while not wanted() and time.monotonic() < end:
        time.sleep(0.01)
    return wanted()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(peers, "_BEAT", 0.05)
    monkeypatch.setattr(peers, "_QUIET", 0.15)
    monkeypatch.setattr(peers, "_LOOK", 0.005)
    monkeypatch.setattr(peers, "_at_work", None)


@pytest.fixture
def first(quick):
    """Return the first of two processes, and where it hears the other."""
    places = []
    made = peers.Peers(0, 2, lambda place: places.append(place) or place, "127.0.0.1", None)
    made.start()
    yield made, places[0]
    made.stop()


def test_two_processes_hear_where_the_other_is_and_that_it_left(first):
    one, place = first
    other = peers.Peers(1, 2, lambda _: place, "127.0.0.1", None)
    other.start()
    other.note(3, 17)
    assert until(lambda: "(last heard of in epoch 4, step 17)" in one._heard.get(1, ""))
    assert until(lambda: other._heard.get(0, "").startswith("process 0 of 2 on "))
    other.stop()
    assert until(lambda: one._heard[1] == "left")
    assert one.gone() == ""


def test_who_says_nothing_any_more_is_lost_and_a_stranger_is_not_heard(first, monkeypatch):
    """Trap: a scan of ports ended the thread that lets the others in."""
    monkeypatch.setenv(peers.VARIABLE, "1")
    one, (port, key) = first
    ended = []
    monkeypatch.setattr(one, "_end", ended.append)
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with Client(("127.0.0.1", port), authkey=key) as silent:
        silent.send_bytes(b"1 process 1 of 2 on there")
        assert until(lambda: peers.gone() == "process 1 of 2 on there")
        assert until(lambda: ended)
    assert ended[0] == "process 1 of 2 on there"


@pytest.mark.parametrize(("given", "seconds"), [("0", float("inf")), ("7", 7), ("", 180)])
def test_the_patience_is_that_of_the_environment(monkeypatch, given, seconds):
    monkeypatch.setenv(peers.VARIABLE, given)
    assert peers.patience() == seconds


def test_who_dies_is_known_at_once_and_nobody_is_judged_after_the_command(first, monkeypatch):
    """Trap: a session in which a run had failed was ended minutes later, for its processes left."""
    monkeypatch.setenv(peers.VARIABLE, "1")
    one, (port, key) = first
    ended = []
    monkeypatch.setattr(one, "_end", ended.append)
    with Client(("127.0.0.1", port), authkey=key) as other:
        other.send_bytes(b"1 process 1 of 2 on there")
        assert until(lambda: 1 in one._heard)
    assert peers.gone() == "process 1 of 2 on there"
    peers.leave()
    assert peers.gone() == ""
    time.sleep(1.2)
    assert not ended


def test_the_first_process_speaks_once_a_beat_to_all(first):
    """Trap: it answered each word of each of the others to all of them."""
    _one, (port, key) = first
    with Client(("127.0.0.1", port), authkey=key) as other:
        for _ in range(50):
            other.send_bytes(b"1 here")
            time.sleep(0.004)
        heard = 0
        while other.poll():
            other.recv_bytes()
            heard += 1
    assert 1 <= heard <= 8


def test_nothing_is_known_where_nobody_listens(quick):
    assert peers.gone() == ""

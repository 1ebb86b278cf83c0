"""Decoding in threads, some pictures ahead of the network and no more."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

One = TypeVar("One")
Read = TypeVar("Read")


def read_ahead(
    items: Iterator[One], read: Callable[[One], Read], threads: int, ahead: int
) -> Iterator[tuple[One, Read]]:
    """Yield each item with what `read` made of it, in their order.

    Args:
        items: a stream; it is asked for one more only where there is room.
        read: called in a thread; what it raises is raised here, at the place of its item.
        threads: 1 or more.
        ahead: how many items are read or waiting at once, 1 or more.
    """
    waiting: deque[tuple[One, Future[Read]]] = deque()
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="lt-decode")
    try:
        for item in items:
            waiting.append((item, pool.submit(read, item)))
            if len(waiting) >= ahead:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)

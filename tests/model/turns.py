"""Hooks that run at the same time: threads of which one runs, until it asks or sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tests.model.world import World

T = TypeVar("T")


class Turns:
    def __init__(self, world: World, order: Random) -> None:
        self._world = world
        self._order = order
        self._wakes: dict[int, float] = {}  # thread -> when it continues
        self._gates: dict[int, threading.Event] = {}
        self._back = threading.Event()
        self._mine = threading.local()

    def sleep(self, seconds: float) -> None:
        number: int = self._mine.number
        self._wakes[number] = self._world.now + seconds
        self._gates[number].clear()
        self._back.set()
        self._gates[number].wait()

    def take(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        results: dict[int, T] = {}

        def work(number: int) -> None:
            self._mine.number = number
            self._gates[number].wait()
            try:
                results[number] = tasks[number]()
            finally:
                del self._wakes[number]
                self._back.set()

        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(tasks))]
        for number, thread in enumerate(threads):
            self._wakes[number], self._gates[number] = self._world.now, threading.Event()
            thread.start()
        while self._wakes:
            ready = sorted(number for number, wake in self._wakes.items() if wake <= self._world.now)
            if not ready:
                self._world.advance(max(min(self._wakes.values()) - self._world.now, 0.1))
                continue
            self._back.clear()
            self._gates[self._order.choice(ready)].set()
            self._back.wait()
        for thread in threads:
            thread.join()
        return [results[number] for number in range(len(tasks))]

"""What happens in the demonstration, in the order of time: each entry calls the product's actions.

Many entries share a transaction, which is why a year of a trial loads in a minute. Allocation has to have a
transaction of its own, so such an entry ends the one before it.
"""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from django.db import transaction
from simple_history.signals import pre_create_historical_record

Entry = Callable[[datetime], object]
"""Called with its moment; what it returns is not used."""
BATCH = 400
_SIGNAL = "demonstration-clock"


@dataclass(order=True)
class _Line:
    at: datetime
    number: int
    run: Entry = field(compare=False)
    is_alone: bool = field(compare=False)


class Agenda:
    """Entries by their moment; two of one moment keep the order in which they were written down.

    Attributes:
        now: the moment of the entry that runs; an entry that goes on for a while moves it on.
    """

    def __init__(self, now: datetime) -> None:
        self._lines: list[_Line] = []
        self._numbers = count()
        self._ends = now
        self.now = now

    def at(self, moment: datetime, run: Entry, *, is_alone: bool = False) -> None:
        """Write an entry down. What would come after the end is left out: it has not happened yet.

        Args:
            run: called with the moment; may write down later entries.
            is_alone: opens a transaction of its own.
        """
        if moment <= self._ends:
            heapq.heappush(self._lines, _Line(moment, next(self._numbers), run, is_alone))

    def play(self) -> None:
        """Let everything happen. History rows carry the moment of their entry, as if it had been typed then."""
        with self._clock():
            while self._lines:
                if self._lines[0].is_alone:
                    self._next()
                    continue
                with transaction.atomic():
                    for _ in range(BATCH):
                        if not self._lines or self._lines[0].is_alone:
                            break
                        self._next()

    def _next(self) -> None:
        line = heapq.heappop(self._lines)
        self.now = line.at
        line.run(line.at)

    @contextmanager
    def _clock(self) -> Iterator[None]:
        def set_date(history_instance: Any, **kwargs: Any) -> None:
            history_instance.history_date = self.now

        pre_create_historical_record.connect(set_date, dispatch_uid=_SIGNAL)
        try:
            yield
        finally:
            pre_create_historical_record.disconnect(dispatch_uid=_SIGNAL)

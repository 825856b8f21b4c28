"""Clients that ask without a pause, and keep an account of every request."""

import threading
import time
from collections import Counter

from serving_lists import FEATURES, ranking_list

from serving.client import RerankClient

SCORES = (1.0, 3.0, 2.0)
LIST = ranking_list(SCORES)
ORDER = ("i1", "i2", "i0")  # of a model that scores by the initial score


class CountedLoad:
    """Asks from entry to exit; afterwards every request must be accounted for.

    A version's model multiplies initial scores by the version's number, so that an
    answer tells who made it.

    Args:
        target: Of the server.
        clients: How many ask at the same time, each over a connection of its own.
        given: To each client.

    Attributes:
        sent: Requests.
        answers: Right answers by version.
        wrong: Answers that are not those of the version that they name.
        fell_back: Fall-backs by the code of their reason.
        failures: What was raised.
    """

    def __init__(self, target, clients=3, **given):
        self.sent, self.wrong, self.failures = 0, [], []
        self.answers, self.fell_back = Counter(), Counter()
        self._changed, self._stop = threading.Condition(), threading.Event()
        self._clients = [
            RerankClient(target, FEATURES, **given) for _ in range(clients)
        ]
        self._threads = [
            threading.Thread(target=self._ask_on, args=(c,)) for c in self._clients
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for client in self._clients:
            client.close()

    @property
    def accounted(self) -> int:
        """Requests whose end is known."""
        ends = self.answers.total(), self.fell_back.total()
        return sum(ends) + len(self.wrong) + len(self.failures)

    def counted(self, metric, **labels) -> float:
        """A metric of the clients, summed."""
        return sum(c.metrics.value(metric, **labels) for c in self._clients)

    def pages(self) -> list[str]:
        """The clients' metrics pages."""
        return [c.metrics.text() for c in self._clients]

    def wait_for(self, version, more=5, seconds=30.0):
        """Until that version has answered so many times more than by now."""
        wanted = self.answers[version] + more
        end = time.monotonic() + seconds
        with self._changed:
            while self.answers[version] < wanted and not self.failures:
                left = end - time.monotonic()
                assert left > 0 and self._changed.wait(left), dict(self.answers)

    def wait_for_fall_backs(self, more=5, seconds=30.0):
        """Until so many requests more have got their initial order."""
        wanted = self.fell_back.total() + more
        with self._changed:
            assert self._changed.wait_for(
                lambda: self.fell_back.total() >= wanted, seconds
            ), self.fell_back

    def _ask_on(self, client):
        while not self._stop.is_set():
            with self._changed:
                self.sent += 1
            try:
                found, error = client.rerank(LIST), None
            except Exception as raised:
                found, error = None, raised
            with self._changed:
                self._account(found, error)
                self._changed.notify_all()

    def _account(self, found, error):
        if error is not None:
            self.failures.append(error)
        elif found.is_fallback:
            self.fell_back[found.reason.partition(":")[0]] += 1
        elif is_right(found):
            self.answers[found.model_version] += 1
        else:
            self.wrong.append(found)


def is_right(found) -> bool:
    """Whether an answer is what the version that it names makes of `LIST`."""
    scores = tuple(found.model_version * score for score in sorted(SCORES)[::-1])
    return (found.item_ids, found.scores) == (ORDER, scores)

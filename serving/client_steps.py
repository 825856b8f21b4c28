"""One rerank call as steps, which threads and asyncio take each in their own way."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import grpc

from psad_tf.data.ranking_list import RankingList
from serving.answers import Reranked, initial_order, read_answer
from serving.asked import Asked
from serving.client_metrics import ClientMetrics
from serving.client_policy import CallPolicy, CircuitBreaker, HedgeBudget
from serving.errors import CIRCUIT_OPEN, RerankError
from serving.messages import PredictRequest

_CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class Send:
    """Send the request; the step's result is the response, or `grpc.RpcError` thrown.

    Args:
        request: What to send.
        timeout: Seconds until the call's deadline.
        hedge_after: Seconds without an answer after which to send it once more.
        may_hedge: Whether to, asked when it is time.
    """

    request: PredictRequest
    timeout: float
    hedge_after: float | None
    may_hedge: Callable[[], bool]


@dataclass(frozen=True)
class Wait:
    """Wait so many seconds; the step has no result."""

    seconds: float


Steps = Generator[Send | Wait, object, list[Reranked]]


class Stepper:
    """What a client knows beside its connection; see `serving.client.RerankClient`.

    Attributes:
        is_closed: Whether the client was closed: then nothing more is sent.
    """

    def __init__(
        self,
        target: str,
        asked: Asked,
        timeout: float,
        fallback: bool,
        policy: CallPolicy,
    ):
        _check_timeout(timeout)
        self.target = target
        self.metrics = ClientMetrics()
        self.is_closed = False
        self._asked = asked
        self._timeout = timeout
        self._fallback = fallback
        self._retries = policy.retries
        self._hedging = policy.hedging
        self._budget = HedgeBudget(policy.hedging.share) if policy.hedging else None
        self._breaker = CircuitBreaker(policy.breaking) if policy.breaking else None

    def rerank(self, lists: Sequence[RankingList], timeout: float | None) -> Steps:
        """The steps of `rerank_batch`; returns its result."""
        timeout = self._timeout if timeout is None else timeout
        _check_timeout(timeout)
        asked = [replace(one, labels=None) for one in lists if one.candidates]
        answers = iter((yield from self._answered(asked, timeout)) if asked else ())
        return [
            next(answers) if one.candidates else initial_order(one) for one in lists
        ]

    def closed(self) -> RerankError:
        """What a call is told whose client was closed."""
        what = f"{self.target}: the client was closed"
        return RerankError(_CANCELLED, what, "make another one")

    def _answered(self, asked, timeout):
        began, code = time.monotonic(), _CANCELLED
        request = self._asked.request(asked)
        try:
            answers = yield from self._tried(request, asked, began + timeout)
            code = "OK"
            version = answers[0].model_version
            self.metrics.count("lists", len(asked), model_version=version)
            return answers
        except RerankError as error:
            code = error.code
            if not self._fallback:
                raise
            self.metrics.count("fallback_lists", len(asked), code=code)
            return [initial_order(one, str(error)) for one in asked]
        finally:
            self.metrics.count("requests", code=code)
            self.metrics.observe(time.monotonic() - began)

    def _tried(self, request, asked, deadline):
        made = 0
        while True:
            self._admit()
            made += 1
            try:
                response = yield self._send(request, deadline)
                answers = read_answer(response, asked)
                self._asked.check(answers[0].model_version)
            except grpc.RpcError as failed:
                error, cause = self._told(failed), failed
            except RerankError as failed:
                error, cause = failed, None
            else:
                self._note("OK")
                return answers
            self._note(error.code)
            left = deadline - time.monotonic()
            wait = self._retries and self._retries.wait(error.code, made, left)
            try:
                if wait is None:
                    raise error from cause
            finally:
                # They know this frame: kept here, they would keep call and connection
                # until Python looks for cycles, also of a client that is closed.
                error = cause = None
            self.metrics.count("retries")
            yield Wait(wait)

    def _told(self, failed):
        if self.is_closed:  # then gRPC cancelled it, as a server that stops does
            return self.closed()
        return RerankError.from_rpc(failed, self.target)

    def _admit(self):
        if self.is_closed:
            raise self.closed()
        left = self._breaker.seconds_left() if self._breaker else 0
        if left > 0:
            raise RerankError(
                CIRCUIT_OPEN,
                f"{self.target}: too many calls in a row failed, so this one was not "
                f"sent; the next one is in {left:.1f} s",
            )

    def _note(self, code):
        self.metrics.count("attempts", code=code)
        if self._breaker:
            self._breaker.note(code)
            self.metrics.set_circuit(self._breaker.is_open)

    def _send(self, request, deadline):
        after = self._hedging.after if self._hedging else None
        if self._budget:
            self._budget.earn()
        left = max(deadline - time.monotonic(), 0.0)
        return Send(request, left, after, self._may_hedge)

    def _may_hedge(self):
        if self.is_closed or not self._budget.spend():
            return False
        self.metrics.count("hedges")
        return True


def _check_timeout(timeout):
    if not 0 < timeout < float("inf"):
        raise ValueError(
            f"timeout={timeout!r}; give seconds, more than 0: a call without a "
            "deadline can wait for ever"
        )

"""What the clients decide, on paper: waits, hedges, the circuit."""

import pytest

from serving.client_policy import (
    Breaking,
    CircuitBreaker,
    HedgeBudget,
    Hedging,
    Retries,
)

RETRIES = Retries(attempts=5, first_wait=0.1, longest_wait=0.3)


def longest(low, high):
    return high


def shortest(low, high):
    return low


def test_waits_double_up_to_the_longest():
    waits = [RETRIES.wait("UNAVAILABLE", made, 9.0, longest) for made in (1, 2, 3, 4)]
    assert waits == [0.1, 0.2, 0.3, 0.3]


def test_an_overloaded_server_is_left_alone_for_half_of_that_at_least():
    waits = [
        RETRIES.wait("RESOURCE_EXHAUSTED", made, 9.0, shortest) for made in (1, 2, 3)
    ]
    assert waits == [0.05, 0.1, 0.15]
    # One that did not take the call may be asked at once.
    assert RETRIES.wait("UNAVAILABLE", 3, 9.0, shortest) == 0


def test_waits_are_random():
    waits = {RETRIES.wait("UNAVAILABLE", 1, 9.0) for _ in range(50)}
    assert len(waits) > 40 and 0 <= min(waits) and max(waits) <= 0.1


def test_attempts_end():
    assert RETRIES.wait("UNAVAILABLE", 4, 9.0) is not None
    assert RETRIES.wait("UNAVAILABLE", 5, 9.0) is None
    assert Retries(attempts=1).wait("UNAVAILABLE", 1, 9.0) is None


def test_nobody_waits_past_the_deadline():
    assert RETRIES.wait("UNAVAILABLE", 1, 0.1, longest) is None
    assert RETRIES.wait("UNAVAILABLE", 1, 0.11, longest) == 0.1


@pytest.mark.parametrize(
    "code",
    "INVALID_ARGUMENT NOT_FOUND FAILED_PRECONDITION DEADLINE_EXCEEDED INTERNAL "
    "UNIMPLEMENTED BAD_ANSWER CANCELLED UNKNOWN".split(),
)
def test_what_would_fail_again_is_not_tried_again(code):
    assert RETRIES.wait(code, 1, 9.0) is None


def test_hedges_are_a_share_of_calls():
    budget = HedgeBudget(0.25)
    assert budget.spend() and not budget.spend()  # one from the start
    spent = 0
    for _ in range(40):
        budget.earn()
        spent += budget.spend()
    assert spent == 10


def test_hedges_cannot_be_saved_up_for_ever():
    budget = HedgeBudget(1.0)
    for _ in range(100):
        budget.earn()
    assert sum(budget.spend() for _ in range(100)) == 10


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(Breaking(failures=3, pause=2.0), clock)


def test_the_circuit_opens_after_failures_in_a_row(breaker):
    for code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "OK", "INTERNAL", "BAD_ANSWER"):
        breaker.note(code)
        assert not breaker.is_open and breaker.seconds_left() == 0
    breaker.note("RESOURCE_EXHAUSTED")
    assert breaker.is_open and breaker.seconds_left() == 2.0


def test_a_refused_request_says_that_the_server_is_there(breaker):
    for code in ("UNAVAILABLE", "UNAVAILABLE", "INVALID_ARGUMENT", "UNAVAILABLE"):
        breaker.note(code)
    assert not breaker.is_open


def test_one_trial_is_let_through_in_each_pause(breaker, clock):
    for _ in range(3):
        breaker.note("UNAVAILABLE")
    clock.now += 1.5
    assert breaker.seconds_left() == 0.5
    clock.now += 0.5
    assert breaker.seconds_left() == 0  # the trial
    assert breaker.seconds_left() == 2.0  # all others, though it has not ended
    # One that never ends keeps nobody out for longer than a pause.
    clock.now += 2.0
    assert breaker.seconds_left() == 0


def test_a_trial_that_fails_opens_for_another_pause_and_one_that_does_not_closes(
    breaker, clock
):
    for _ in range(3):
        breaker.note("UNAVAILABLE")
    clock.now += 2.0
    assert breaker.seconds_left() == 0
    clock.now += 1.0
    breaker.note("UNAVAILABLE")
    assert breaker.seconds_left() == 2.0
    clock.now += 2.0
    assert breaker.seconds_left() == 0
    breaker.note("OK")
    assert not breaker.is_open
    assert [breaker.seconds_left() for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Retries(attempts=0), "attempts=0; give 1 or more"),
        (lambda: Retries(first_wait=0), "first_wait=0; give more than 0"),
        (lambda: Retries(longest_wait=0.01), "longest_wait=0.01; give at least"),
        (lambda: Hedging(after=0), "after=0; give seconds"),
        (lambda: Hedging(after=1, share=2), "share=2; give more than 0, at most 1"),
        (lambda: Breaking(failures=0), "failures=0; give 1 or more"),
        (lambda: Breaking(pause=-1), "pause=-1; give seconds"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()

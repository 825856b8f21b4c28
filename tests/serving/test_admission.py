"""The bounded queue before the graph."""

import threading
import time

import grpc
import pytest
from waiting import wait_until

from serving.admission import Admission
from serving.fault import Fault

Code = grpc.StatusCode


def refused(admission, remaining=None):
    with pytest.raises(Fault) as raised, admission.place(remaining):
        pass
    return raised.value.code, raised.value.message


def test_a_full_queue_sheds_at_once():
    admission = Admission(running=1, waiting=0)
    with admission.place():
        assert refused(admission) == (
            Code.RESOURCE_EXHAUSTED,
            "Server Threadpool Exhausted",
        )
    with admission.place():  # and takes again when there is room
        assert admission.waiting == 0


def test_a_deadline_passes_in_the_queue():
    admission = Admission(running=1, waiting=1)
    with admission.place():
        began = time.monotonic()
        told = refused(admission, 0.05)
        assert told == (Code.DEADLINE_EXCEEDED, "Deadline Exceeded")
        assert 0.04 < time.monotonic() - began < 5
        assert refused(admission, -1.0)[0] is Code.DEADLINE_EXCEEDED
    assert admission.waiting == 0


def test_who_waits_gets_the_place_that_is_given_back():
    admission = Admission(running=1, waiting=1)
    ran = threading.Event()

    def run():
        with admission.place(10.0):
            ran.set()

    thread = threading.Thread(target=run)
    with admission.place():
        thread.start()
        wait_until(lambda: admission.waiting == 1)
        assert refused(admission)[0] is Code.RESOURCE_EXHAUSTED
        assert not ran.is_set()
    assert ran.wait(10)
    thread.join()


def test_a_request_that_fails_gives_its_place_back():
    admission = Admission(running=1, waiting=0)
    with pytest.raises(KeyError), admission.place():
        raise KeyError
    with admission.place():
        pass


@pytest.mark.parametrize(("running", "waiting"), [(1, 2), (3, 5)])
def test_never_more_run_than_may_and_all_others_are_shed(running, waiting):
    admission = Admission(running, waiting)
    release, lock = threading.Event(), threading.Lock()
    now, most, codes = [0], [0], []

    def run():
        try:
            with admission.place():
                with lock:
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                release.wait(10)
                with lock:
                    now[0] -= 1
                codes.append("OK")
        except Fault as fault:
            codes.append(fault.code.name)

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(codes) == 20 - running - waiting)
    release.set()
    for thread in threads:
        thread.join()
    assert most == [running]
    assert codes.count("OK") == running + waiting
    assert codes.count("RESOURCE_EXHAUSTED") == 20 - running - waiting

"""What is about to be so."""

import time


def wait_until(condition, seconds=10.0):
    """Returns once `condition()` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)

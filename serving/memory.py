"""What Python looks through for waste, and when; versions that are served no more."""

import ctypes
import gc


def hold() -> None:
    """Looks for no waste until `freeze`.

    Importing TensorFlow makes objects by the million, which stay: a fifth of the
    processor time of an import goes into looking through them.
    """
    gc.disable()


def freeze() -> None:
    """Leaves what there is by now, modules above all, out of all later looks at it."""
    gc.collect()
    gc.freeze()
    gc.enable()


class Garbage:
    """What closed versions leave behind.

    A graph's operations refer to it, and it to them: Python finds that only when it
    looks for cycles, which it seldom does by itself, since few objects hold all of it
    (measured: 37 MiB more with every reload). And what was freed in small pieces the
    C library keeps, until it is asked to trim.

    Attributes:
        is_there: Whether there is some.
    """

    def __init__(self):
        self.is_there = False

    def free(self) -> None:
        """Gives it back; nothing else of Python runs for some milliseconds."""
        if not self.is_there:
            return
        self.is_there = False
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
        if trim is not None:
            trim(0)

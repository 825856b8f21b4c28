"""Errors that are the user's to mend; nothing is imported, so anybody may raise them.

The command line prints the message of an `InputError` and exits with 3. Every other
exception is a fault of ours or of the machine and keeps its traceback.
"""


class InputError(ValueError):
    """Bad input; the message names the field, its value and the remedy."""


class ConfigError(InputError):
    """A setting that is unknown, out of range or at odds with another one."""

"""The error of a server's settings."""

from psad_tf.errors import ConfigError

BAD_INPUT = 3  # the exit code of whoever meets it


class OptionError(ConfigError):
    """A setting that cannot work; the message names the remedy."""

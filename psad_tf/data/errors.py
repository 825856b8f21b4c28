"""The one family of errors that a user of the data code can meet."""

from psad_tf.errors import InputError


class DataError(InputError):
    """Bad data, a bad request or a missing source; the message names the remedy."""

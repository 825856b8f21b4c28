"""The one family of errors that a user of the data code can meet."""


class DataError(ValueError):
    """Bad data, a bad request or a missing source; the message names the remedy."""

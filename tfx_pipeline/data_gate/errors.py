"""What a run ends with whose data was refused; imports nothing heavy."""

from psad_tf.data.errors import DataError


class DataRefusedError(DataError):
    """The data gate refused a run's data."""

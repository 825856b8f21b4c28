"""The secret that turns user ids into pseudonyms. It enters no artifact."""

import os
from dataclasses import dataclass

import pyarrow as pa

from psad_tf.data.errors import DataError

VARIABLE = "PSAD_USER_SALT"
_LENGTHS = range(16, 65)  # bytes; what BLAKE2b takes as a key, and no less than safe


@dataclass(frozen=True)
class Salt:
    """Where the secret is: only that travels with the work, each process reads it.

    Args:
        file: A file on any of Beam's file systems, all of whose bytes but white space
            around them are the salt; empty for the environment variable.
    """

    file: str = ""

    def read(self) -> bytes:
        """The secret.

        Raises:
            DataError: There is none, or it is too short or too long.
        """
        if self.file:
            from psad_tf.data.logs.shuffle import open_to_read

            try:
                with open_to_read(self.file) as file:
                    salt = file.read()
            except Exception as error:
                raise DataError(
                    f"user salt file {self.file}: can't be read ({error}); name a file "
                    "that every worker can read"
                ) from None
        else:
            salt = os.environ.get(VARIABLE, "").encode()
        salt = salt.strip()
        if len(salt) not in _LENGTHS:
            raise DataError(
                f"the user salt in {self.file or VARIABLE} has {len(salt)} bytes; "
                f"give {_LENGTHS.start} to {_LENGTHS.stop - 1} (openssl rand -hex 32)"
            )
        return salt

    def apply(self, users: pa.Array) -> pa.Array:
        """Replaces users' ids by pseudonyms."""
        from psad_tf.data.logs.hashing import pseudonyms

        found = users.dictionary_encode()
        names = pseudonyms(found.dictionary.to_pylist(), self.read())
        return pa.array(names, pa.string()).take(found.indices)

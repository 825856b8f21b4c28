"""What every task of a run knows: the rules, the ranges, and who leaves files where."""

import math
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from psad_tf.data.logs.protocol import Protocol
from psad_tf.data.logs.ranges import RANGE_BYTES, Range, cut_files, unpacked_bytes
from psad_tf.data.logs.reader import ITEM, REQUEST, TIME, USER, Reader
from psad_tf.data.logs.salt import Salt
from psad_tf.data.logs.shuffle import Shuffle

BUCKET_BYTES = 8 * 2**20  # of impressions' raw lines: about 200,000 of Ad's
KEYS = {"impressions": USER, "requests": REQUEST, "items": ITEM, "users": USER}


def bucket_count(size: int, bucket_bytes: int) -> int:
    """Into how many buckets raw files of this size fall."""
    return max(1, math.ceil(size / bucket_bytes))


@dataclass(frozen=True)
class Plan:
    """One run.

    Args:
        reader: The data set's.
        protocol: The rules of its lists.
        folder: Where stages leave files for each other; on any of Beam's file systems.
        ranges: The raw files, cut.
        buckets: Into how many parts the users fall; each is worked on as a whole.
        item_buckets: The same for items.
        seed: Of the split by chance and of the initial ranker.
        salt: Makes pseudonyms of users; None keeps their ids.
        max_bad_share: The accepted share of malformed lines in any one file.
        max_user_rows: Older rows of a user who has more are left out; 0 keeps all.
    """

    reader: Reader
    protocol: Protocol
    folder: str
    ranges: tuple[Range, ...]
    buckets: int
    item_buckets: int
    seed: int = 0
    salt: Salt | None = None
    max_bad_share: float = 0.01
    max_user_rows: int = 0

    @classmethod
    def make(
        cls,
        reader: Reader,
        protocol: Protocol,
        raw: str,
        folder: str,
        range_bytes: int | None = None,
        bucket_bytes: int | None = None,
        **choices,
    ) -> "Plan":
        """Cuts the raw files; sizes follow from theirs, never from who does the work.

        Args:
            reader: The data set's.
            protocol: The rules of its lists.
            raw: Folder of the raw files.
            folder: Of the files between stages.
            range_bytes: Of raw files that are read at once.
            bucket_bytes: Of raw impressions that are worked on at once.
            **choices: The other fields.

        Raises:
            DataError: A raw file is missing or has another header.
        """
        ranges = cut_files(raw, reader, range_bytes or RANGE_BYTES)
        size = {role: 0 for role in KEYS}
        for role in reader.tables:
            files = {one.file for one in ranges if one.role == role}
            size[role] = unpacked_bytes(files)
        rows = size["impressions"] + size["requests"]
        bucket_bytes = bucket_bytes or BUCKET_BYTES
        buckets = bucket_count(max(rows, size["users"]), bucket_bytes)
        # An item is asked for once a bucket and day, however often it was shown.
        item_buckets = bucket_count(max(size["items"], rows // 8), bucket_bytes)
        return cls(
            reader, protocol, folder, tuple(ranges), buckets, item_buckets, **choices
        )

    def numbers(self, role: str) -> list[int]:
        """The numbers of a table's ranges."""
        return [one.number for one in self.ranges if one.role == role]

    def parsed(self, role: str) -> Shuffle:
        """What parsing leaves of a table."""
        key = REQUEST if role == "impressions" and self.reader.requests else KEYS[role]
        buckets = self.item_buckets if key == ITEM else self.buckets
        return Shuffle(self.folder, role, buckets)

    @cached_property
    def asks_for_days(self) -> bool:
        """Whether anybody wants to know how items did before a day."""
        names = {feature.name for feature in self.reader.features.candidate}
        wanted = names & {"click_rate", "log_impressions"}
        return bool(wanted) or self.reader.initial_ranker is not None

    def parsed_schema(self, role: str) -> pa.Schema:
        """Of `parsed`: the table's columns; rows without a time get one."""
        schema = self.reader.tables[role].schema()
        has_time = TIME in schema.names or self.reader.requests is not None
        if role == "impressions" and not has_time:
            schema = schema.append(pa.field(TIME, pa.int64()))
        return schema

    def rows(self) -> tuple[Shuffle, list[int], pa.Schema]:
        """The impressions by user: their files, the tasks that wrote them, schema."""
        schema = self.parsed_schema("impressions")
        if self.reader.requests is None:
            return self.parsed("impressions"), self.numbers("impressions"), schema
        for field in self.parsed_schema("requests"):
            if field.name != REQUEST:
                schema = schema.append(field)
        joined = Shuffle(self.folder, "joined", self.buckets)
        return joined, list(range(self.buckets)), schema

    def leave(self, name: str, buckets: int = 1) -> Shuffle:
        """The files under a stage's own name."""
        return Shuffle(self.folder, name, buckets)

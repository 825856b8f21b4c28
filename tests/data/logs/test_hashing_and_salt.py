"""Numbers that look random: equal everywhere, spread evenly; and the users' salt."""

import hashlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from psad_tf.data.errors import DataError
from psad_tf.data.logs.hashing import share, stable_hash, tie
from psad_tf.data.logs.salt import VARIABLE, Salt

USERS = [str(number) for number in range(20_000)]


def test_hashes_are_the_same_in_another_process():
    code = (
        "from psad_tf.data.logs.hashing import stable_hash as h; print(*h(['a', '']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    here = stable_hash(pa.array(["a", ""]))
    assert [int(word) for word in done.stdout.split()] == here.tolist()
    assert here.dtype == np.uint64 and here[0] != here[1]


def test_buckets_and_shares_are_even():
    hashes = stable_hash(USERS)
    counts = np.bincount((hashes % np.uint64(10)).astype(int))
    assert counts.min() > 1800 and counts.max() < 2200  # 2000 each, 5 deviations
    shares = share(0, hashes)
    assert 0 <= shares.min() and shares.max() < 1
    assert abs((shares < 0.4).mean() - 0.4) < 0.02
    # The split says nothing about the bucket, and another seed is another split.
    first = shares[hashes % np.uint64(10) == 0]
    assert abs((first < 0.4).mean() - 0.4) < 0.06
    both = (shares < 0.4) & (share(1, hashes) < 0.4)
    assert abs(both.mean() - 0.16) < 0.02


def test_ties_depend_on_user_and_item():
    hashes = stable_hash(["a", "b"])
    ties = tie(hashes[[0, 0, 1, 1]], hashes[[0, 1, 0, 1]])
    assert len(set(ties.tolist())) == 4
    assert (ties == tie(hashes[[0, 0, 1, 1]], hashes[[0, 1, 0, 1]])).all()


def test_pseudonyms_are_keyed(tmp_path, monkeypatch):
    secret = b"a secret of many bytes"
    file = tmp_path / "salt"
    file.write_bytes(secret + b"\n")
    found = Salt(str(file)).apply(pa.array(["7", "8", "7"])).to_pylist()
    expected = hashlib.blake2b(b"7", digest_size=16, key=secret).hexdigest()
    assert found[0] == found[2] == expected and found[1] != expected
    monkeypatch.setenv(VARIABLE, secret.decode())
    assert Salt().apply(pa.array(["7"])).to_pylist() == [expected]
    assert secret.decode() not in repr(Salt(str(file)))


def test_a_salt_that_is_none_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(
        DataError, match=f"salt in {VARIABLE} has 0 bytes; give 16 to 64"
    ):
        Salt().read()
    with pytest.raises(DataError, match="can't be read .* every worker can read"):
        Salt(str(tmp_path / "none")).read()
    short = tmp_path / "short"
    short.write_text("abc")
    with pytest.raises(DataError, match="short has 3 bytes"):
        Salt(str(short)).read()

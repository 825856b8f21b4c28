"""What several commands of `psad` ask for, and how it is checked before they begin."""

import argparse
from pathlib import Path

from psad_tf.data.click_world.config import SIZES
from psad_tf.errors import ConfigError, InputError
from psad_tf.feature_sets import feature_set
from psad_tf.features import FeatureSet

DEFAULT_DATASET = "movielens-100k"


def positive(text: str) -> int:
    """The type of an option that counts something: a whole number, at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number, at least 1")
    return int(text)


def add_dataset(parser) -> None:
    """`--dataset`."""
    parser.add_argument("--dataset", default=DEFAULT_DATASET, help="which data set")


def folder(text: str) -> Path | str:
    """The type of an option that names a folder here or, as a URL, elsewhere."""
    return text if "://" in text else Path(text)


def add_raw(parser) -> None:
    """`--raw` or `--size`."""
    raw = parser.add_mutually_exclusive_group()
    raw.add_argument(
        "--raw",
        type=folder,
        help="folder of its raw files (default: fetch and cache); of logs also a URL "
        "that Beam can read, such as gs://bucket/folder",
    )
    known = ", ".join(SIZES)
    raw.add_argument("--size", help=f"of a simulated data set: {known}")


def add_bad_share(parser) -> None:
    """`--max-bad-share`."""
    parser.add_argument(
        "--max-bad-share",
        type=float,
        default=0.01,
        help="share of malformed lines past which the run stops",
    )


def check_dataset(parsed) -> FeatureSet:
    """The data set that was asked for.

    Raises:
        InputError: None has that name, it has no sizes, or `--raw` is no folder.
    """
    try:
        features = feature_set(parsed.dataset)
    except ValueError as error:
        raise InputError(f"--dataset: {error}") from error
    if getattr(parsed, "size", None) is not None and not features.truth:
        raise InputError(
            f"--size={parsed.size}: {parsed.dataset} is real data of one size; leave "
            "--size out"
        )
    raw = getattr(parsed, "raw", None)
    if isinstance(raw, Path) and not raw.is_dir():
        raise InputError(
            f"--raw={raw}: no such folder; give the folder that holds the raw files, "
            "or leave --raw out to fetch them"
        )
    return features


def check_config(parsed) -> None:
    """
    Raises:
        ConfigError: `--config` is no file.
    """
    if parsed.config is not None and not parsed.config.is_file():
        raise ConfigError(f"--config={parsed.config}: no such file; give a JSON file")

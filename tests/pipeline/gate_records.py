"""A made-up outcome of the gate, as its components write it."""

from pathlib import Path

from tfx_pipeline.gate.check import ABOVE, LOW, Check, Demand
from tfx_pipeline.gate.record import as_record, write_record
from tfx_pipeline.gate.resampling import Estimate

GAIN = Demand("gain_over_initial", 0.01, "It must help.", ABOVE, LOW, "train longer")
CHANGE = Demand("gain_over_blessed", 0.0, "A push has its risk.", ABOVE, LOW, "")


def gain(value: float, group: str = "all lists") -> Check:
    """The check of a gain that is known to 0.005 on both sides."""
    return GAIN.check(Estimate(value, value - 0.005, value + 0.005), group)


FIRST = CHANGE.skipped("no model was blessed before")
CHECKS = [
    gain(0.0231),
    FIRST,
    gain(0.03, "age: 18-24"),
    GAIN.skipped("few", "age: 50+"),
]


def write_gate(folder: Path, checks=None, measured: bool = True) -> None:
    """`gate.json` in an evaluation's folder."""
    about = {"lists": 3, "measured": measured, "blessed_version": ""}
    write_record(folder, as_record(checks or CHECKS, **about))

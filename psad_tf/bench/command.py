"""`psad bench`: prepares data, runs a bench's trials, writes its report."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from psad_tf.bench import peers, results
from psad_tf.bench.bundle import Bundle
from psad_tf.bench.plans import BENCHES, plan_of
from psad_tf.bench.pool import run_all, trial_folders
from psad_tf.bench.prepare import prepare_bundle
from psad_tf.bench.report import write_report
from psad_tf.bench.report_run import Run
from psad_tf.feature_sets import feature_set
from psad_tf.presets import PRESETS

REFERENCES = ("PSAD-S", "PSAD-G, beam, PRM by discounted clicks")
CONFIGURATIONS = 20  # LambdaMART's budget
SLATE = 10
# Of a simulated world's studies, which compare variants with each other: fewer lists
# and epochs than the figures that stand for themselves.
_STUDY_LIMITS = {"train_lists": 30_000, "training": {"epochs": 4}}
_SMOKE = {"train_lists": 200, "training": {"epochs": 1}}


@dataclass(frozen=True)
class Bench:
    """A data set's bundle and where its results lie."""

    dataset: str
    bundle: Bundle
    bundle_file: Path
    out: Path

    @property
    def preset(self) -> dict:
        return PRESETS[self.dataset]

    def limits(self, is_smoke: bool) -> dict:
        if is_smoke:
            return _SMOKE
        return _STUDY_LIMITS if self.bundle.is_simulated else {}


def main(parsed) -> int:
    """Runs one subcommand.

    Args:
        parsed: `bench` (prepare, report, peers or one of `plans.BENCHES`), `dataset`,
            `raw`, `out`, `seeds`, `workers`, `size`, `smoke`.
    """
    bench = _open(parsed)
    if parsed.bench == "prepare":
        counts = {s: len(bundle["label"]) for s, bundle in bench.bundle.splits.items()}
        print(json.dumps({"bundle": str(bench.bundle_file), "lists": counts}))
        return 0
    names = [*BENCHES, "peers"] if parsed.bench == "report" else [parsed.bench]
    found = []
    for name in names:
        is_run = parsed.bench != "report"
        found += (_peers if name == "peers" else _planned)(name, bench, parsed, is_run)
    if not found:
        print("no trial is done yet; run `psad bench study` or another bench first")
        return 1
    report = bench.out / bench.dataset / "report" / parsed.bench
    command = f"psad bench {parsed.bench} --dataset {parsed.dataset}"
    write_report(found, Run(command=command, device=_device(parsed)), report)
    print(f"report: {report / 'index.html'}")
    return 0


def _open(parsed) -> Bench:
    dataset = feature_set(parsed.dataset).name
    size = parsed.size or ("fixture" if parsed.smoke else "")
    suffix = f"-{size}" if size and feature_set(dataset).truth else ""
    file = parsed.out / "bundles" / f"{dataset}{suffix}.npz"
    if file.exists():
        bundle = Bundle.load(file)
    else:
        size = size if feature_set(dataset).truth else parsed.size or ""
        bundle = prepare_bundle(dataset, file, parsed.raw, size=size)
    return Bench(dataset, bundle, file, parsed.out)


def _planned(name: str, bench: Bench, parsed, is_run: bool):
    slate = min(SLATE, bench.bundle.sizes["list_length"])
    limits = bench.limits(parsed.smoke)
    plan = plan_of(name, slate, parsed.seeds, **limits)
    folders = _folders(plan.trials.values(), "study", bench, parsed, is_run)
    return results.of_plan(name, bench.bundle, plan, folders, "validation")


def _peers(name: str, bench: Bench, parsed, is_run: bool):
    trials = peers.trials(bench.bundle, parsed.seeds)
    if parsed.smoke:
        trials = [t.of(**_SMOKE) for t in trials]
    folders = _folders(trials, "peers", bench, parsed, is_run)
    file = bench.out / bench.dataset / "peers" / "lambdamart.npz"
    rival = {}
    if is_run or file.exists():
        rival = peers.lambdamart_rows(
            bench.bundle,
            ("validation", "test"),
            parsed.seeds,
            2 if parsed.smoke else CONFIGURATIONS,
            os.cpu_count(),
            file,
        )
    fixed = peers.fixed_rows(bench.bundle, "test")
    return results.of_peers(bench.bundle, folders, fixed, rival, "test", REFERENCES)


def _folders(trials, kind: str, bench: Bench, parsed, is_run: bool):
    out = bench.out / bench.dataset / kind
    if is_run:
        return run_all(
            list(trials), bench.bundle_file, bench.preset, out, parsed.workers
        )
    return trial_folders(trials, bench.bundle.fingerprint, bench.preset, out)


def _device(parsed) -> str:
    """What trained the models: as told, for results brought from another machine."""
    if parsed.device:
        return parsed.device
    import jax

    return ", ".join(sorted({d.device_kind for d in jax.devices()}))

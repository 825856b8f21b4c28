"""`psad bench`: prepares data, runs a bench's trials, writes its report."""

import json
import shlex
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from psad_tf.bench import overall, page_constraints, peers, results
from psad_tf.bench.bundle import Bundle
from psad_tf.bench.efficiency import QUICK_ROUNDS, ROUNDS, measure
from psad_tf.bench.efficiency_programs import BATCHES, programs
from psad_tf.bench.efficiency_report import write_efficiency
from psad_tf.bench.overall_report import write_overall
from psad_tf.bench.page_constraints_report import write_page
from psad_tf.bench.peers import LAMBDAMART
from psad_tf.bench.plans import BENCHES, plan_of
from psad_tf.bench.pool import run_all, trial_folders
from psad_tf.bench.prepare import prepare_bundle
from psad_tf.bench.report import write_report
from psad_tf.bench.report_results import Result
from psad_tf.bench.report_run import Run
from psad_tf.bench.roofline import command as roofline
from psad_tf.bench.tuning import DRAWS, RATES, methods
from psad_tf.config import PSADConfig
from psad_tf.errors import ConfigError
from psad_tf.feature_sets import feature_set
from psad_tf.presets import PRESETS

REFERENCES = ("PSAD-S", "PSAD-G, beam, PRM by discounted clicks")
# Of a simulated world's studies, which compare variants with each other: fewer lists
# and epochs than the figures that stand for themselves.
_STUDY_LIMITS = {"train_lists": 30_000, "training": {"epochs": 4}}
_QUICK = {"train_lists": 1000, "training": {"epochs": 2}}
# The budget of every method's search: draws times learning rates. LambdaMART's is as
# many configurations.
_BUDGET = {"draws": DRAWS, "rates": RATES}
_QUICK_BUDGET = {"draws": 1, "rates": (0.5, 1.0)}


@dataclass(frozen=True)
class Bench:
    """A data set's bundle, and where its results lie."""

    bundle: Bundle
    file: Path
    folder: Path

    @property
    def preset(self) -> dict[str, dict[str, Any]]:
        return PRESETS[self.bundle.dataset]

    def usual(self) -> dict[str, Any]:
        """The fields of `PSADConfig` as the preset has them."""
        defaults = {f.name: f.default for f in fields(PSADConfig)}
        known = {k: v for k, v in defaults.items() if v is not MISSING}
        return known | self.preset["model"]

    def folders(self, trials, kind: str, parsed, is_run: bool) -> Mapping[str, Path]:
        """Trial's name to its folder; the trials are run first, if asked for."""
        trials, out = list(trials), self.folder / kind
        if is_run:
            part, parts = parsed.part
            mine = trials[part - 1 :: parts]
            run_all(mine, self.file, self.preset, out, parsed.workers)
        return trial_folders(trials, self.bundle.fingerprint, self.preset, out)


def main(parsed: Namespace) -> int:
    """Runs one subcommand; returns the exit code.

    Args:
        parsed: `bench` (prepare, roofline, report, peers, overall, efficiency, page or
            one of `plans.BENCHES`), `preset`, `dataset`, `raw`, `out`, `seeds`,
            `workers`, `size`, `device`, `part`, `methods`.

    Raises:
        ConfigError: The arguments do not fit the data set, or each other.
    """
    if parsed.bench == "roofline":
        return _roofline(parsed)
    bench = _open(parsed)
    if parsed.bench == "prepare":
        counts = {s: len(bundle["label"]) for s, bundle in bench.bundle.splits.items()}
        print(json.dumps({"bundle": str(bench.file), "lists": counts}))
        return 0
    report = bench.folder / "report" / parsed.bench
    run = Run(command_line(parsed), _device(parsed))
    if parsed.bench == "overall":
        write_overall(*_overall(bench, parsed), run, report)
    elif parsed.bench == "efficiency":
        write_efficiency(_efficiency(bench, parsed), run, report)
    elif parsed.bench == "page":
        dataset, is_simulated = bench.bundle.dataset, bench.bundle.is_simulated
        write_page(_page(bench, parsed), dataset, is_simulated, run, report)
    else:
        write_report(_results(bench, parsed), run, report)
    print(f"report: {report / 'index.html'}")
    return 0


def _roofline(parsed) -> int:
    """Of made-up lists: it needs no data."""
    run = Run(f"psad bench roofline --preset {parsed.preset}", _device(parsed))
    report = parsed.out / "roofline"
    roofline.run(_is_quick(parsed), run, report)
    print(f"report: {report / 'index.html'}")
    return 0


def _results(bench: Bench, parsed) -> list[Result]:
    is_run, found = parsed.bench != "report", []
    for name in [parsed.bench] if is_run else [*BENCHES, "peers"]:
        if name == "peers":
            found += _peers(bench, parsed, is_run)
        else:
            found += _planned(name, bench, parsed, is_run)
    if not found:
        raise ConfigError(
            f"{bench.folder}: no trial of --seeds {parsed.seeds} is done yet; run "
            "`psad bench study` or another bench first"
        )
    return found


def command_line(parsed: Namespace) -> str:
    """The command that gives the same figures.

    >>> from argparse import Namespace
    >>> command_line(Namespace(bench="study", dataset="click-world", size="fixture",
    ...                        raw=None, seeds=[0, 1], preset="full", methods=None))
    'psad bench study --preset full --dataset click-world --size fixture --seeds 0 1'
    """
    words = ["psad", "bench", parsed.bench, "--preset", parsed.preset]
    words += ["--dataset", parsed.dataset]
    for name in ("size", "raw"):
        if value := getattr(parsed, name):
            words += [f"--{name}", str(value)]
    for name, values in (("seeds", _seeds(parsed)), ("methods", parsed.methods)):
        if values:
            words += [f"--{name}", *map(str, values)]
    return shlex.join(words)


def _open(parsed) -> Bench:
    features = feature_set(parsed.dataset)
    smallest = "fixture" if _is_quick(parsed) and features.truth else ""
    size = parsed.size or smallest
    name = f"{features.name}-{size}" if size else features.name
    file = parsed.out / "bundles" / f"{name}.npz"
    if parsed.bench == "prepare" or not file.exists():
        bundle = prepare_bundle(features.name, file, parsed.raw, size=size)
    elif parsed.raw is not None:
        raise ConfigError(
            f"--raw={parsed.raw}: {file} was prepared before, of these or of other "
            "files; run `psad bench prepare --raw` to make it anew"
        )
    else:
        bundle = Bundle.load(file)
    # What was tried out does not stand in for what is published.
    folder = f"{name}-quick" if _is_quick(parsed) else name
    return Bench(bundle, file, parsed.out / folder)


def _planned(name: str, bench: Bench, parsed, is_run: bool) -> list[Result]:
    limits = _STUDY_LIMITS if bench.bundle.is_simulated else {}
    limits = _QUICK if _is_quick(parsed) else limits
    plan = plan_of(name, bench.usual(), _seeds(parsed), **limits)
    folders = bench.folders(plan.trials.values(), "study", parsed, is_run)
    return results.of_plan(name, bench.bundle, plan, folders, "validation")


def _peers(bench: Bench, parsed, is_run: bool) -> list[Result]:
    trials = peers.trials(bench.bundle, _seeds(parsed))
    if _is_quick(parsed):
        trials = [t.of(**_QUICK) for t in trials]
    folders = bench.folders(trials, "peers", parsed, is_run)
    rival = _lambdamart(bench, parsed, is_run)
    fixed = peers.fixed_rows(bench.bundle, "test")
    return results.of_peers(
        bench.bundle, folders, fixed, rival, _seeds(parsed), "test", REFERENCES
    )


def _overall(bench: Bench, parsed):
    """The rows of the table, and what is known of each method."""
    found, usual = methods(parsed.methods), bench.preset["training"]["learning_rate"]
    budget, limits = _budget(parsed), {}
    # A search compares configurations with each other, as a study does.
    searched = {"train_lists": 30_000} if bench.bundle.is_simulated else {}
    if _is_quick(parsed):
        limits, searched = _QUICK, _QUICK

    def run(kind):
        return lambda trials: bench.folders(trials, kind, parsed, is_run=True)

    chosen = overall.search_all(found, run("search"), usual, **budget, **searched)
    final = overall.finals(found, chosen, _seeds(parsed), **limits)
    folders = run("overall")(final)
    rival = {}
    if parsed.methods is None or LAMBDAMART.lower() in parsed.methods:
        rival = _lambdamart(bench, parsed, is_run=True)
    return overall.table(bench.bundle, found, chosen, folders, rival, _seeds(parsed))


def _efficiency(bench: Bench, parsed) -> list[dict]:
    batches = BATCHES[:1] if _is_quick(parsed) else BATCHES
    found = programs(bench.bundle, bench.preset, batches, parsed.methods)
    return measure(found, QUICK_ROUNDS if _is_quick(parsed) else ROUNDS)


def _page(bench: Bench, parsed) -> list[dict]:
    limits = _STUDY_LIMITS if bench.bundle.is_simulated else {}
    lists = page_constraints.LISTS
    if _is_quick(parsed):
        limits, lists = _QUICK, page_constraints.QUICK_LISTS
    asked = page_constraints.trial(_seeds(parsed), **limits)
    folder = bench.folder / "page"
    return page_constraints.measure_page(
        bench.bundle, asked, bench.preset, folder, lists
    )


def _lambdamart(bench: Bench, parsed, is_run: bool) -> dict:
    """The same in every bench, with the budget of every other search."""
    bundle, budget = bench.bundle, _budget(parsed)
    return peers.lambdamart_rows(
        bundle.with_last(_QUICK["train_lists"]) if _is_quick(parsed) else bundle,
        overall.MEASURED,
        _seeds(parsed),
        len(budget["rates"]) * budget["draws"],
        bench.folder / "lambdamart",
        is_run,
    )


def _budget(parsed) -> dict:
    return _QUICK_BUDGET if _is_quick(parsed) else _BUDGET


def _is_quick(parsed) -> bool:
    return parsed.preset == "quick"


def _seeds(parsed) -> list[int]:
    return parsed.seeds or ([0, 1] if _is_quick(parsed) else [0, 1, 2, 3, 4])


def _device(parsed) -> str:
    """What trained the models: as told, for results brought from another machine."""
    if parsed.device:
        return parsed.device
    import jax

    return ", ".join(sorted({d.device_kind for d in jax.devices()}))

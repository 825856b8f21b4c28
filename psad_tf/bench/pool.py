"""Runs many trials in processes of their own; what is done is not done again."""

import hashlib
import json
import multiprocessing
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from psad_tf import __version__
from psad_tf.bench.bundle import Bundle
from psad_tf.bench.trial import Trial
from psad_tf.data.atomic import atomic_folder

SUMMARY, PER_LIST = "summary.json", "per_list.npz"


def run_all(
    trials: Iterable[Trial], bundle: Path, preset: Mapping, out: Path, workers: int = 1
) -> dict[str, Path]:
    """Runs trials; shows progress.

    A trial's folder is named for what its result depends on (the trial, the preset, the
    data, the package's version), so that a bench that was broken off goes on, and one
    that was changed runs anew what changed.

    Args:
        trials: What to run; names are unique.
        bundle: The data's file.
        preset: `model` and `training`, fields by name.
        out: Folder of results; one folder a trial, complete or not there.
        workers: Trials at a time; on one GPU they share it.

    Returns:
        Trial's name to its folder.

    Raises:
        Exception: What a trial raised, once the others are done.
    """
    folders = trial_folders(trials, Bundle.load(bundle).fingerprint, preset, out)
    left = [t for t in trials if not (folders[t.name] / SUMMARY).exists()]
    failures = []
    spawned = multiprocessing.get_context("spawn")
    with (
        tqdm(total=len(folders), initial=len(folders) - len(left), unit="trial") as bar,
        ProcessPoolExecutor(workers, mp_context=spawned) as pool,
    ):
        jobs = {
            pool.submit(_run, t, bundle, dict(preset), folders[t.name]): t for t in left
        }
        for job in as_completed(jobs):
            bar.set_postfix_str(jobs[job].name)
            bar.update()
            if error := job.exception():
                tqdm.write(f"{jobs[job].name} failed: {error!r}")
                failures.append(error)
    if failures:
        raise failures[0]
    return folders


def trial_folders(
    trials: Iterable[Trial], data: str, preset: Mapping, out: Path
) -> dict[str, Path]:
    """Trial's name to the folder of its results.

    Args:
        trials: The trials.
        data: The bundle's fingerprint.
        preset, out: As for `run_all`.
    """
    return {t.name: out / f"{t.name}-{_key(t, preset, data)}" for t in trials}


def _run(trial: Trial, path: Path, preset: dict, folder: Path) -> None:
    """In a process of its own."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    from psad_tf.bench.run import run_trial

    bundle, evaluator = Bundle.load(path), None
    if trial.needs_evaluator:
        judge = Trial("evaluator", "prm", seeds=trial.seeds, loss="bce", splits=())
        changes = preset.get("evaluator", {})
        _, evaluator = run_trial(judge.of(**changes), bundle, preset)
    outcome, _ = run_trial(trial, bundle, preset, evaluator)
    with atomic_folder(folder, SUMMARY) as made:
        np.savez_compressed(made / PER_LIST, **outcome.per_list)
        text = json.dumps(outcome.summary(), indent=1)
        (made / SUMMARY).write_text(text + "\n")


def _key(trial: Trial, preset: Mapping, data: str) -> str:
    known = [asdict(trial), preset, data, __version__]
    return _digest(json.dumps(known, sort_keys=True, default=dict).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]

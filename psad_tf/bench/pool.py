"""Runs many trials in processes of their own; what is done is not done again."""

import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from psad_tf import __version__
from psad_tf.bench.bundle import Bundle
from psad_tf.bench.trial import Trial
from psad_tf.data.atomic import atomic_folder
from psad_tf.quick_start import quick_start

SUMMARY, PER_LIST = "summary.json", "per_list.npz"


def run_all(
    trials: Sequence[Trial], bundle: Path, preset: Mapping, out: Path, workers: int = 1
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
        workers: Trials at a time; they are dealt out to the machine's GPUs, and share
            them. A trial is mostly compilation, which takes a core of the CPU.

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
        ProcessPoolExecutor(
            workers, spawned, _take_gpu, (spawned.Value("i", 0), gpus())
        ) as pool,
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
    trials: Sequence[Trial], data: str, preset: Mapping, out: Path
) -> dict[str, Path]:
    """Trial's name to the folder of its results.

    Args:
        trials: The trials.
        data: The bundle's fingerprint.
        preset, out: As for `run_all`.
    """
    return {t.name: out / f"{t.name}-{key(asdict(t), preset, data)}" for t in trials}


def key(*known) -> str:
    """Hex digits that change with anything a result depends on, this version included.

    Args:
        known: Values that JSON knows, and mappings.
    """
    text = json.dumps([*known, __version__], sort_keys=True, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def gpus() -> list[str]:
    """The GPUs that may be used, as CUDA names them; none without NVIDIA's driver."""
    if (chosen := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name for name in chosen.split(",") if name]
    if (tool := shutil.which("nvidia-smi")) is None:
        return []
    query = [tool, "--query-gpu=index", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True).stdout.split()


def _take_gpu(taken, names: Sequence[str]) -> None:
    """As a worker starts: one GPU for it, before JAX looks for any."""
    quick_start()
    with taken.get_lock():
        worker, taken.value = taken.value, taken.value + 1
    if names:
        os.environ["CUDA_VISIBLE_DEVICES"] = names[worker % len(names)]


def _run(trial: Trial, path: Path, preset: dict, folder: Path) -> None:
    """In a process of its own."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    # Trying out kernels costs more than a trial of seconds gains by it.
    os.environ.setdefault("XLA_FLAGS", "--xla_gpu_autotune_level=0")
    from psad_tf.bench.run import run_trial

    bundle, evaluator = Bundle.load(path), None
    if trial.needs_evaluator:
        _, evaluator = run_trial(_judge(trial, preset), bundle, preset)
    outcome, _ = run_trial(trial, bundle, preset, evaluator)
    with atomic_folder(folder, SUMMARY) as made:
        np.savez_compressed(made / PER_LIST, **outcome.per_list)
        text = json.dumps(outcome.summary(), indent=1)
        (made / SUMMARY).write_text(text + "\n")


def _judge(trial: Trial, preset: Mapping) -> Trial:
    """The PRM that picks among the trial's beams, trained on no more than it is."""
    training = dict(preset.get("evaluator", {}).get("training", {}))
    if "epochs" in trial.training:
        epochs = trial.training["epochs"]
        training["epochs"] = min(epochs, training.get("epochs", epochs))
    return Trial(
        "evaluator",
        "prm",
        seeds=trial.seeds,
        options={"loss": "bce", "pretrained": False},
        training=training,
        splits=(),
        train_lists=trial.train_lists,
    )

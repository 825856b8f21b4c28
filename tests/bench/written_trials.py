"""Trials that nobody ran: folders of results that are known."""

import json

import numpy as np

from psad_tf.bench.peers import ROWS
from psad_tf.bench.pool import PER_LIST, SUMMARY, trial_folders
from psad_tf.bench.trial import Outcome


def branches_of(trial):
    """The names of the ways a trial's model is read out; a baseline's as peers say."""
    if trial.kind not in ("psad", "scorer", "offline"):
        return [*ROWS[trial.name]]
    decodings = trial.decodings if trial.kind == "psad" else ()
    return ["student", *(d.name for d in decodings)]


def made_up(trial, bundle):
    """What a trial might have found: `split/branch/metric` to `[seeds, lists]`.

    NDCG@10 is a tenth of a seed's number, more for each branch than for the one before.
    """
    found = {}
    for split in trial.splits:
        lists = np.zeros((len(trial.seeds), len(bundle.label(split))), np.float32)
        for place, branch in enumerate(branches_of(trial)):
            of_seeds = 0.1 * np.array(trial.seeds)[:, None] + 0.01 * place
            for metric in ("ndcg", "map", "utility")[: 3 if bundle.is_simulated else 2]:
                found[f"{split}/{branch}/{metric}"] = lists + of_seeds.astype("float32")
    return found


def write_trials(trials, bundle, preset, out):
    """Writes the folders that running the trials would; returns them by name."""
    folders = trial_folders(trials, bundle.fingerprint, preset, out)
    for trial in trials:
        folder = folders[trial.name]
        folder.mkdir(parents=True, exist_ok=True)
        best_epoch = np.ones(len(trial.seeds), int)
        outcome = Outcome(trial, made_up(trial, bundle), {}, {}, best_epoch, 9, 1.0)
        np.savez(folder / PER_LIST, **outcome.per_list)
        (folder / SUMMARY).write_text(json.dumps(outcome.summary()))
    return folders

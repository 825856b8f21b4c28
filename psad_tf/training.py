"""Trains PSAD: both branches from scratch, the best epoch by validation NDCG@10."""

import json
from dataclasses import asdict
from pathlib import Path

import keras
import tensorflow as tf

from psad_tf.model import PSAD
from psad_tf.training_backup import Backup, fingerprint
from psad_tf.training_callbacks import Progress, StopOnBadLoss
from psad_tf.training_config import TrainingConfig
from psad_tf.training_data import Lists
from psad_tf.training_distribution import is_chief, stream
from psad_tf.training_evaluation import MONITORED, RankingEvaluation
from psad_tf.training_optimizer import optimizer


def train(
    model: PSAD,
    training: Lists,
    validation: Lists,
    config: TrainingConfig,
    log_dir: Path,
    backup_dir: Path | None = None,
) -> dict[str, list[float]]:
    """Trains in place and leaves the best epoch's weights in the model.

    Called again after a kill, with the same arguments and seed, it goes on from the end
    of the last epoch and ends with the weights of a training that was never killed.

    Writes into `log_dir`: TensorBoard events, `history.json` (a list of values an epoch
    for each logged name), `training.json` (the configuration).

    Args:
        model: From `new_model`, not compiled.
        training: The training lists, with `config.batch_size`.
        validation: The validation lists.
        config: How to train.
        log_dir: Where the logs go; made when missing.
        backup_dir: A folder for what a killed training needs to go on, the same for all
            hosts. It stays, and is to be removed once nothing can be lost any more;
            None is `backup` in `log_dir`, which is removed at the end.

    Returns:
        The history: logged name to one value an epoch.

    Raises:
        FloatingPointError: The loss became NaN or infinite.
        BackupError: The backup is damaged, or of another training.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    strategy = model.distribute_strategy
    steps = config.epoch_steps or training.steps
    _compile(model, config, steps * config.epochs)
    history = keras.callbacks.History()
    stopping = keras.callbacks.EarlyStopping(
        MONITORED[config.stop_on],
        mode="max",
        patience=config.patience,
        restore_best_weights=True,
    )
    decided_by = (asdict(config), model.config.to_dict(), training.fingerprint)
    backup = Backup(
        backup_dir or log_dir / "backup",
        fingerprint(*decided_by, validation.fingerprint),
        history,
        stopping,
        is_chief(strategy),
    )
    backup.load()
    first = config.epochs if backup.is_over else backup.epochs
    model.fit(
        stream(training, strategy, first * steps),
        steps_per_epoch=steps,
        initial_epoch=first,
        epochs=config.epochs,
        verbose=2 if is_chief(strategy) else 0,
        validation_data=stream(validation, strategy),
        validation_steps=validation.steps,
        shuffle=False,
        callbacks=[
            _bad_loss(training, steps, config, log_dir),
            RankingEvaluation(validation.once(), config.stop_on != "student"),
            history,
            stopping,
            *_told(steps, config, log_dir, strategy),
            # The last, so that it keeps what the others make of an epoch.
            backup,
        ],
    )
    result = {k: [float(v) for v in values] for k, values in history.history.items()}
    if is_chief(strategy):
        (log_dir / "history.json").write_text(json.dumps(result, indent=1))
        (log_dir / "training.json").write_text(json.dumps(asdict(config), indent=1))
    if backup_dir is None:
        backup.remove()
    return result


def _compile(model, config, steps):
    strategy = model.distribute_strategy
    # On CPU the compiled step is the slower one, and costs half a minute to compile;
    # XLA knows no sums over replicas, and no numbers of rows that change.
    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    is_one = strategy.num_replicas_in_sync == 1
    jit_compile = has_gpu and is_one and config.table_updates == "dense"
    with strategy.scope():
        model.compile(optimizer(config, steps), jit_compile=jit_compile)
        # Now: a backup may fill its variables, and replicas cannot make them in a step.
        model.optimizer.build(model.trainable_variables)


def _bad_loss(training, steps, config, log_dir):
    remedy = (
        f"lower learning_rate (now {config.learning_rate}) or clip_norm "
        f"(now {config.clip_norm}), or train in float32 (now {config.precision})"
    )
    return StopOnBadLoss(training, steps, log_dir, remedy)


def _told(steps, config, log_dir, strategy):
    """What one host alone says and writes."""
    if not is_chief(strategy):
        return []
    return [
        Progress(steps, config.epochs, config.batch_size),
        keras.callbacks.TensorBoard(log_dir / "tensorboard"),
    ]

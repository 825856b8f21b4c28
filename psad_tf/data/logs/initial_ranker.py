"""The initial order of logs that hold none: LightGBM's LambdaMART on the oldest lists.

It learns from the first stage's lists alone, and only from what was known before each
of them: rates are those before the day of the list.
"""

from functools import lru_cache

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from psad_tf.data.errors import DataError
from psad_tf.data.logs.bucket import Bucket
from psad_tf.data.logs.cut import Lists
from psad_tf.data.logs.order import days
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.rates import Rates, item_rates, numbers_of, smoothed
from psad_tf.data.logs.reader import LABEL
from psad_tf.data.logs.shuffle import open_to_read, write_whole

SAMPLE, MODEL = "sample", "initial_ranker.txt"
MAX_LISTS = 50_000  # so that memory does not grow with the log
_ROUNDS = 50
_SETTINGS = {
    "objective": "lambdarank",
    "num_leaves": 31,
    "learning_rate": 0.1,
    "min_data_in_leaf": 20,
    "lambdarank_truncation_level": 20,
    # The same model on every machine; on a busy one, threads that wait for each other
    # took fifteen times as long as one alone.
    "deterministic": True,
    "num_threads": 1,
    "force_row_wise": True,
    "verbosity": -1,
}


def inputs(plan: Plan, part: Bucket, rates: Rates) -> np.ndarray:
    """`[rows, features]` float32: what the ranker sees of each row.

    Args:
        plan: Of the run.
        part: The rows.
        rates: Of the run.
    """
    wanted = plan.reader.initial_ranker
    _, day = days(plan, part.time)
    prior = rates.prior(day)
    columns = list(item_rates(part, prior).values())
    category = plan.reader.features.category
    if category in part.items.schema.names:
        values = part.items[category].combine_chunks().take(pa.array(part.item))
        shown, clicked = rates.of_values(values, day)
        columns += [smoothed(shown, clicked, prior), np.log1p(shown)]
    for name in wanted.numbers:
        columns.append(part.items[name].to_numpy()[part.item])
    for name in wanted.codes:
        columns.append(numbers_of(part.profiles[name].combine_chunks())[part.user])
    return np.column_stack(columns).astype(np.float32)


def leave_sample(
    plan: Plan, number: int, bucket: Bucket, lists: Lists, share: float
) -> int:
    """Leaves a stable share of a bucket's first-stage lists to learn from.

    Returns how many.
    """
    drawn = (bucket.tie[lists.begin] >> np.uint64(11)) * 2.0**-53 < share
    lists = lists.take(drawn)
    rows, which = lists.rows()
    part = bucket.take(rows)
    found = inputs(plan, part, Rates(plan))
    columns = {f"input_{i}": found[:, i] for i in range(found.shape[1])}
    table = pa.table({**columns, LABEL: part.label, "list": which})
    plan.leave(SAMPLE).write_one(number, table)
    return len(lists.begin)


def train(plan: Plan) -> None:
    """Learns from the samples of all buckets and leaves the model.

    Raises:
        DataError: There is no list to learn from.
    """
    import lightgbm as lgb  # takes two seconds, and few tasks want it

    sizes, labels, inputs_ = [], [], []
    for number in range(plan.buckets):
        table = plan.leave(SAMPLE).read(0, [number], None)
        which, sizes_here = np.unique(table["list"].to_numpy(), return_counts=True)
        names = [name for name in table.schema.names if name.startswith("input_")]
        inputs_.append(np.column_stack([table[name].to_numpy() for name in names]))
        labels.append(table[LABEL].to_numpy())
        sizes.append(sizes_here)
    sizes = np.concatenate(sizes)
    if not len(sizes):
        raise DataError(
            "the first stage's period holds no list with a click, so there is nothing "
            "to learn an initial order from; give a longer log"
        )
    data = lgb.Dataset(np.concatenate(inputs_), np.concatenate(labels), group=sizes)
    settings = {**_SETTINGS, "seed": plan.seed}
    model = lgb.train(settings, data, num_boost_round=_ROUNDS)
    text = model.model_to_string().encode()
    write_whole(model_path(plan), lambda file: file.write(text))


def model_path(plan: Plan) -> str:
    return FileSystems.join(plan.folder, MODEL)


@lru_cache(maxsize=1)
def load_model(path: str):
    """Once a process: every bucket has the same one."""
    import lightgbm as lgb

    with open_to_read(path) as file:
        return lgb.Booster(model_str=file.read().decode())


def score(plan: Plan, part: Bucket, rates: Rates) -> np.ndarray:
    """`[rows]` float64 initial scores."""
    if not len(part.time):
        return np.zeros(0)
    model = load_model(model_path(plan))
    # The processes share the cores already.
    return model.predict(inputs(plan, part, rates), num_threads=1)

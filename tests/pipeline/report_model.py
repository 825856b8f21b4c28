"""A SavedModel that ranks by each item's share of likes, and examples for it.

It knows the user, the profile and items a and b of `report_run`.
"""

from pathlib import Path

import tensorflow as tf

from psad_tf.data.examples import encode_list
from psad_tf.feature_sets import MOVIELENS_100K

FEATURE = "candidate_like_rate"
KNOWN = {
    "user_id": "u1",
    "user_gender": "F",
    "user_occupation": "artist",
    "user_zip_prefix": "1",
    "genres": "Drama",
    "item_id": "a\nb",
}


class ByLikeRate(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def serving_default(self, examples):
        spec = {FEATURE: tf.io.RaggedFeature(tf.float32)}
        rates = tf.io.parse_example(examples, spec)[FEATURE]
        shape = [None, MOVIELENS_100K.list_length]
        scores = rates.to_tensor(-1.0, shape=shape)
        order = tf.argsort(scores, direction="DESCENDING", stable=True)
        is_valid = tf.sequence_mask(rates.row_lengths(), shape[1])
        return {"scores": scores, "order": tf.where(is_valid, order, -1)}


def save_model(folder: Path) -> None:
    model = ByLikeRate()
    tf.saved_model.save(model, str(folder), {"serving_default": model.serving_default})
    for name, values in KNOWN.items():
        (folder / "assets" / f"vocabulary_{name}").write_text(f"{values}\n")


def write_split(folder: Path, lists) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = str(folder / "data_tfrecord-00000-of-00001.gz")
    with tf.io.TFRecordWriter(file, "GZIP") as writer:
        for ranking_list in lists:
            writer.write(encode_list(ranking_list, MOVIELENS_100K))

"""The first stage: two towers of TensorFlow Recommenders, for `first_stage_trainer`."""

import sys

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from tqdm import tqdm

# The only module of the project with `tf.keras`: in this process it is Keras 2.
keras = tf.keras

DIM = 16
UNKNOWN_SHARE = 0.3  # of training rows whose id is hidden, so that 0 is learned
EPOCHS = 6
BATCH = 256
LEARNING_RATE = 3e-3
L2 = 0.02
INITIAL_RANGE = 0.05


class Tower(keras.layers.Layer):
    """The sum of the embeddings of an entity's id and features, and its bias.

    Args:
        sizes: Vocabulary size of each feature; the first one is the id.
        dim: Length of the vectors.
    """

    def __init__(self, sizes, dim, **kwargs):
        super().__init__(**kwargs)
        start = keras.initializers.RandomUniform(-INITIAL_RANGE, INITIAL_RANGE)
        # The bias is one more column: a linear model of the same features.
        self.tables = [
            keras.layers.Embedding(size, dim + 1, embeddings_initializer=start)
            for size in sizes
        ]
        self.labels = keras.layers.Dense(dim + 1, kernel_initializer=start)

    def call(self, features, labels=None, training=False):
        """Looks an entity up.

        Args:
            features: `[batch, features]` ids.
            labels: `[batch, labels]` of 0 and 1, or None.
            training: Whether some ids are hidden.

        Returns:
            `[batch, dim]` vectors and `[batch, 1]` biases.
        """
        ids = features
        if training:
            is_shown = tf.random.uniform(tf.shape(ids)[:1]) >= UNKNOWN_SHARE
            ids = tf.concat(
                [tf.where(is_shown, ids[:, 0], 0)[:, None], ids[:, 1:]], axis=1
            )
        both = tf.add_n([table(ids[:, n]) for n, table in enumerate(self.tables)])
        if labels is not None:
            both = both + self.labels(labels)
        return both[:, :-1], both[:, -1:]


class TwoTowers(tfrs.Model):
    """Rating ~ mean + user's bias + item's bias + user's vector . item's vector."""

    def __init__(self, user_sizes, item_sizes):
        super().__init__()
        self.user_tower = Tower(user_sizes, DIM, name="user_tower")
        self.item_tower = Tower(item_sizes, DIM, name="item_tower")
        self.task = tfrs.tasks.Ranking(loss=keras.losses.MeanSquaredError())

    def compute_loss(self, inputs, training=False):
        users, user_bias = self.user_tower(inputs["user"], training=training)
        items, item_bias = self.item_tower(
            inputs["item"], inputs["genres"], training=training
        )
        dot = tf.reduce_sum(users * items, axis=1, keepdims=True)
        loss = self.task(
            labels=inputs["rating"], predictions=user_bias + item_bias + dot
        )
        squares = (tf.reduce_sum(v**2, axis=1) for v in (users, items, item_bias))
        return loss + L2 * tf.reduce_mean(tf.add_n(list(squares)))


class _Progress(keras.callbacks.Callback):
    """A bar over epochs; on standard output, as errors are read from the other."""

    def on_train_begin(self, logs=None):
        self._bar = tqdm(
            total=EPOCHS, desc="first stage", unit="epoch", file=sys.stdout
        )

    def on_epoch_end(self, epoch, logs=None):
        self._bar.update()

    def on_train_end(self, logs=None):
        self._bar.close()


def train(arrays: dict[str, np.ndarray], seed: int) -> TwoTowers:
    """Fits the towers to the ratings in `arrays`."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    user, item, rating = arrays["user"], arrays["item"], arrays["rating"]
    rows = {
        "user": arrays["user_features"][user],
        "item": arrays["item_features"][item],
        "genres": arrays["item_genres"][item],
        "rating": (rating - rating.mean())[:, None],
    }
    dataset = tf.data.Dataset.from_tensor_slices(rows)
    dataset = dataset.shuffle(len(rating), seed=seed).batch(BATCH)
    model = TwoTowers(arrays["user_sizes"], arrays["item_sizes"])
    model.compile(optimizer=keras.optimizers.legacy.Adam(LEARNING_RATE))
    model.fit(dataset, epochs=EPOCHS, verbose=0, callbacks=[_Progress()])
    return model

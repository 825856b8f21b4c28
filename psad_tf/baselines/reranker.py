"""What every reranker of the comparison is: from a list's tensors to its scores."""

import keras
from keras import ops

from psad_tf import losses
from psad_tf.config import PSADConfig

TRAIN = "train"


class Reranker(keras.Model):
    """A model that is trained in stages and gives each list scores.

    The inputs are those of `psad_tf.model.PSAD`, by name. A subclass

    - makes its layers in `__init__` and builds them in `build`: all sizes are known
      from the configuration;
    - has `call`. A model that generates an order gives scores that sort like it
      (`scores_of_order`); it never samples with `training=False`;
    - has `list_loss(inputs, label, training, stage)`, float32 `[batch]`, one loss a
      list, whose sums and means leave padding out;
    - names what differs from its paper in its docstring.

    Class attributes to set where the defaults do not fit:

        title: The name in tables.
        stages: What is trained one after the other, by name.
        gives_probabilities: Whether `sigmoid(scores)` are probabilities of clicks.
        search: Its own hyperparameters: argument of `__init__` to the values to try.
            The learning rate and dropout are tried for every model.

    Args:
        config: A `PSADConfig`, or its values by name: sizes, widths, depth, dropout.
    """

    title = "Reranker"
    stages: tuple[str, ...] = (TRAIN,)
    gives_probabilities = False
    search: dict[str, tuple] = {}

    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.config = PSADConfig.of(config)
        self.stage = self.stages[-1]
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, training=False):
        """Scores.

        Args:
            inputs: The input tensors by name.
            training: Whether dropout is on.

        Returns:
            float32 `[batch, list]`, higher is better; the mask logit on padding.
        """
        raise NotImplementedError(f"{type(self).__name__}.call")

    def parts(self, stage: str) -> list | None:
        """The layers that a stage trains; None is the whole model."""
        return None

    def copies(self, stage: str) -> list[tuple]:
        """What takes over weights as a stage begins: pairs (layer to fill, source).

        Both have the same weights in the same order.
        """
        return []

    def list_loss(self, inputs, label, training=False, stage=TRAIN):
        """The loss of each list: float32 `[batch]`."""
        raise NotImplementedError(f"{type(self).__name__}.list_loss")

    def readouts(self) -> dict:
        """Ways to order a list: name to `inputs -> scores [batch, list]`.

        The first one leads: it is what the best epoch is picked by.
        """
        return {self.title: lambda inputs: self(inputs, training=False)}

    def begin(self, stage: str) -> None:
        """Makes a stage's layers the ones that are trained, and the others fixed."""
        if stage not in self.stages:
            raise ValueError(f"stage={stage!r}; {self.title} has {self.stages}")
        self.stage, parts = stage, self.parts(stage)
        # `trainable` reaches down to all layers within, so the widest comes first.
        for layer in self.layers:
            layer.trainable = parts is None
        for layer in parts or ():
            layer.trainable = True

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Keras' hook: the mean of the stage's loss over lists."""
        loss = self.list_loss(x, y, training, self.stage)
        return losses.mean_over_lists(loss, sample_weight)

    def get_config(self):
        return {**super().get_config(), "config": self.config.to_dict()}


def scores_of_order(order, length):
    """Scores that sort as an order does, from 0 for the first one down by 1.

    Args:
        order: int `[batch, places]`, candidates in order, -1 for none; each at most
            once.
        length: Candidates of a list.

    Returns:
        float32 `[batch, list]`; what is not in the order comes last, `-length` each.
    """
    places = ops.cast(ops.arange(order.shape[1]), "float32")
    # -1 is all zeros in one_hot: it is nobody's place.
    is_there = ops.one_hot(order, length, dtype="float32")
    reached = ops.einsum("p,bpi->bi", length - places, is_there)
    return reached - length

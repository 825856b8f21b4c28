"""Trains the first stage; run as a process of its own.

`python -m psad_tf.data.first_stage_trainer INPUTS.npz VECTORS.npz --seed N` with
`TF_USE_LEGACY_KERAS=1`, which TensorFlow Recommenders needs. The arrays are described
in `first_stage_process.training_inputs` and `FirstStage`.
"""

import argparse

import numpy as np

from psad_tf.quick_start import quick_start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inputs", help="the .npz file to read")
    parser.add_argument("vectors", help="the .npz file to write")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    quick_start()
    from psad_tf.data.two_towers import train

    with np.load(arguments.inputs) as file:
        arrays = dict(file)
    model = train(arrays, arguments.seed)
    users, _ = model.user_tower(arrays["user_features"])
    items, bias = model.item_tower(arrays["item_features"], arrays["item_genres"])
    np.savez(
        arguments.vectors,
        user_vectors=users.numpy(),
        item_vectors=items.numpy(),
        item_bias=bias.numpy()[:, 0],
    )


if __name__ == "__main__":
    main()

"""What a SavedModel's graph ranks a second with no server around it."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from psad_tf.errors import InputError
from psad_tf.quick_start import quick_start
from serving.messages import PredictRequest
from serving.tensors import read_tensor

BATCHES = (1, 4, 16, 64, 256)


def measure_apart(
    model: Path, requests: dict[int, list[bytes]], seconds: float
) -> list[dict]:
    """`measure` in a process of its own, which takes TensorFlow with it as it ends.

    Args:
        model: A version's folder.
        requests: Lists in a request to serialized requests of so many.
        seconds: Of each.

    Raises:
        InputError: The folder holds no model, or the model does not take the requests.
    """
    if not (model / "saved_model.pb").exists():
        raise InputError(
            f"--model={model}: no SavedModel there; give a version's folder"
        )
    asked = {size: [r.hex() for r in found] for size, found in requests.items()}
    done = subprocess.run(
        [sys.executable, "-m", "serving.bare_graph", str(model), str(seconds)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise InputError(f"--model={model}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(
    model: Path, requests: dict[int, Sequence[bytes]], seconds: float
) -> list[dict]:
    """Calls the graph as a server does, one call after the other.

    Args:
        model, requests, seconds: As for `measure_apart`.

    Returns:
        For each size `batch`, `calls` and `lists_a_second`.
    """
    from serving.graph_run import load_graph

    run, signatures = load_graph(model)
    rows = []
    for size, messages in sorted(requests.items()):
        asked = [PredictRequest.FromString(message) for message in messages]
        signature = signatures[asked[0].model_spec.signature_name]
        fetched = {name: tensor.name for name, tensor in signature.outputs.items()}
        inputs = [
            {
                signature.inputs[k].name: read_tensor(t)
                for k, t in request.inputs.items()
            }
            for request in asked
        ]
        for given in inputs:
            run(fetched, given)
        calls, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            run(fetched, inputs[calls % len(inputs)])
            calls += 1
        taken = time.perf_counter() - begun
        rows.append(
            {"batch": size, "calls": calls, "lists_a_second": calls * size / taken}
        )
    return rows


def main(arguments: Sequence[str]) -> None:
    quick_start()
    asked = {int(k): [*map(bytes.fromhex, v)] for k, v in json.load(sys.stdin).items()}
    try:
        found = measure(Path(arguments[0]), asked, float(arguments[1]))
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        sys.exit(f"{type(error).__name__}: {first}")
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])

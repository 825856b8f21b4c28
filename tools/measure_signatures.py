"""How long signatures of exported models take, in sessions like those of a server.

    python tools/measure_signatures.py MODEL [MODEL ...] --out docs/results/FILE.json

Full, made-up lists are sent from the host's memory by so many threads at once, and
scores and order fetched, straight into the session, as a server does it; models are
asked in turns, round after round.
"""

import argparse
import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import text_format

from psad_tf.list_matrix import COUNTS, MATRIX, NUMBERS, ListMatrix
from serving.graph_run import load_graph

ALIGNMENT = 64  # bytes; TensorFlow copies what is fed in other memory


def arrays(signature, lists: int, widths: dict[str, int]) -> dict[str, np.ndarray]:
    """Lists for a `SignatureDef`, by input name.

    Args:
        signature: The signature.
        lists: How many.
        widths: Of a list and a history, by `candidate` and `history`.
    """
    random, found = np.random.default_rng(0), {}
    for name, info in signature.inputs.items():
        width = widths.get(name.split("_")[0])
        dims = [d.size for d in info.tensor_shape.dim[1:]]
        shape = [lists, *(width if n < 0 else n for n in dims)]
        if name.endswith("_count"):
            found[name] = np.full(shape, width, np.int32)
        elif info.dtype == tf.string:
            words = np.char.mod("%d", random.integers(0, 3000, shape))
            found[name] = words.astype("S").astype(object)
        elif info.dtype == tf.int32:
            found[name] = aligned(random.integers(1, 200, shape).astype(np.int32))
        else:
            found[name] = aligned(random.normal(size=shape).astype(np.float32))
    return found


def matrix_of(path: Path, lists: int) -> np.ndarray:
    """Full lists for `rank_matrix` of a model."""
    described = json.loads((path / "assets.extra" / "psad.json").read_text())
    layout, random = ListMatrix(**described["rank_matrix"]), np.random.default_rng(0)
    made = {}
    for name, shape in layout.shapes.items():
        if name in COUNTS:
            made[name] = np.full(lists, layout.lengths[name])
        elif name in NUMBERS:
            made[name] = random.normal(size=(lists, *shape))
        else:
            made[name] = random.integers(1, 200, (lists, *shape))
    return aligned(layout.fill(made))


def aligned(values: np.ndarray) -> np.ndarray:
    """A copy in memory that TensorFlow takes as it is, as a server's tensors are."""
    memory = np.empty(values.nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    found = memory[start : start + values.nbytes].view(values.dtype)
    found = found.reshape(values.shape)
    found[...] = values
    return found


class Loaded:
    """A model in a session.

    Args:
        path: Its folder.
        inter_op: Threads for operations, as `inter_op_parallelism_threads` has them.
        config: What else the session is configured by.
    """

    def __init__(self, path: Path, inter_op: int, config):
        self._path = path
        own = tf.compat.v1.ConfigProto()
        own.CopyFrom(config)
        own.inter_op_parallelism_threads = inter_op
        own.gpu_options.allow_growth = True
        self.words = {"model": path.name, "inter_op": inter_op}
        self._run, self.signatures = load_graph(path, own)

    def call(self, name: str, lists: int, widths: dict[str, int]):
        """Asks a signature about so many lists; warm."""
        signature = self.signatures[name]
        if MATRIX in signature.inputs:
            given = {MATRIX: matrix_of(self._path, lists)}
        else:
            given = arrays(signature, lists, widths)
        fetched = {k: signature.outputs[k].name for k in ("scores", "order")}
        fed = {signature.inputs[k].name: values for k, values in given.items()}
        for _ in range(5):
            self._run(fetched, fed)
        return lambda: self._run(fetched, fed)


def took(call, in_flight: int, most: float) -> tuple[list[float], float]:
    """The seconds of each call by threads that repeat it, and of it all."""

    def repeat(_):
        mine, end = [], begun + most
        while time.perf_counter() < end or len(mine) < 4:
            start = time.perf_counter()
            call()
            mine.append(time.perf_counter() - start)
        return mine

    begun = time.perf_counter()
    with ThreadPoolExecutor(in_flight) as pool:
        found = [t for mine in pool.map(repeat, range(in_flight)) for t in mine]
    return found, time.perf_counter() - begun


def measure(given) -> list[dict]:
    """The figures, one for each model, threads, signature and load."""
    rows = []
    for path, inter_op in itertools.product(given.models, given.inter_op):
        loaded = Loaded(path, inter_op, given.config)
        for name, (lists, in_flight) in itertools.product(given.signature, given.load):
            if name in loaded.signatures:
                call = loaded.call(name, lists, given.widths)
                words = {"signature": name, "lists": lists, "in_flight": in_flight}
                rows.append((call, loaded.words | words, []))
        print(f"{path.name}, inter_op {inter_op}: warm", flush=True)
    for _ in range(given.rounds):
        for call, words, rounds in rows:
            rounds.append(took(call, words["in_flight"], given.seconds))
    return [_row(words, rounds) for _, words, rounds in rows]


def _row(words: dict, rounds) -> dict:
    """A figure over its rounds: seconds of a call, and lists a second."""
    p50, p99 = (
        float(np.median([np.percentile(t, q) for t, _ in rounds])) for q in (50, 99)
    )
    rates = [len(t) * words["lists"] / wall for t, wall in rounds]
    rates = {"lists_per_second": float(np.median(rates)), "rounds": rates}
    return {**words, "p50": p50, "p99": p99, **rates}


def _load(text: str) -> tuple[int, int]:
    lists, _, in_flight = text.partition("x")
    return int(lists), int(in_flight)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", type=Path, nargs="+", help="folders of versions")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--signature", nargs="+", default=["rank_matrix", "rank_tensors", "rank"]
    )
    parser.add_argument(
        "--load",
        type=_load,
        nargs="+",
        default=[(1, 1), (1, 16)],
        help="lists a call x calls in flight, such as 4096x8",
    )
    parser.add_argument("--inter-op", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--session-config", type=Path, help="text, as of tensorflow_model_server"
    )
    parser.add_argument("--candidates", type=int, default=30)
    parser.add_argument("--history", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round")
    given = parser.parse_args()
    given.config = tf.compat.v1.ConfigProto()
    if given.session_config:
        text_format.Parse(given.session_config.read_text(), given.config)
    given.widths = {"candidate": given.candidates, "history": given.history}
    rows = measure(given)
    devices = [d.device_type for d in tf.config.list_physical_devices()]
    content = {"tensorflow": tf.__version__, "devices": devices}
    content |= {"session_config": str(given.config), "rows": rows}
    given.out.write_text(json.dumps(content, indent=1) + "\n")
    for row in rows:
        print(
            f"{row['model']:20} {row['inter_op']:2} {row['signature']:13} "
            f"{row['lists']:5} x {row['in_flight']:2}: p50 {row['p50'] * 1e3:7.2f} ms, "
            f"p99 {row['p99'] * 1e3:7.2f}, {row['lists_per_second']:11,.0f} lists/s"
        )


if __name__ == "__main__":
    main()

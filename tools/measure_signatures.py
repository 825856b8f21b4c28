"""How long signatures of exported models take, fed from the host or from a GPU.

    python tools/measure_signatures.py MODEL [MODEL ...] --out docs/results/FILE.json

Each signature that ranks is asked about full, made-up lists, in calls of several sizes;
then, in a session as a model server keeps it, by several threads at once.
"""

import argparse
import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf

WIDTHS = {"candidate": 30, "history": 50}
SIGNATURES = ("rank_tensors", "rank")
LARGEST = {"rank": 256}  # text is the host's work


def arrays(signature, lists: int) -> dict[str, np.ndarray]:
    """Full lists for a signature, by input name."""
    random, found = np.random.default_rng(0), {}
    for spec in signature.structured_input_signature[1].values():
        width = WIDTHS.get(spec.name.split("_")[0])
        shape = [lists, *(width if n is None else n for n in spec.shape[1:])]
        if spec.name.endswith("_count"):
            found[spec.name] = np.full(shape, width, np.int32)
        elif spec.dtype == tf.string:
            words = np.char.mod("%d", random.integers(0, 3000, shape))
            found[spec.name] = words.astype("S").astype(object)
        elif spec.dtype == tf.int32:
            found[spec.name] = random.integers(1, 200, shape).astype(np.int32)
        else:
            found[spec.name] = random.normal(size=shape).astype(np.float32)
    return found


def seconds(call, most: float, warm: int = 4) -> list[float]:
    """Of each call, for so many seconds and at least eight times."""
    for _ in range(warm):
        call()
    found, end = [], time.perf_counter() + most
    while time.perf_counter() < end or len(found) < 8:
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return found


def row(took, wall: float, **words) -> dict:
    """A figure: seconds of a call, and lists a second over `wall` seconds."""
    p50, p99 = map(float, np.percentile(took, (50, 99)))
    rate = len(took) * words["lists"] / wall
    return {
        **words,
        "calls": len(took),
        "p50": p50,
        "p99": p99,
        "lists_per_second": rate,
    }


def by_call(path: Path, sizes, most: float):
    """Rows of the signatures, called one after the other."""
    loaded = tf.saved_model.load(str(path))
    for name in SIGNATURES:
        for lists in sizes:
            if name not in loaded.signatures or lists > LARGEST.get(name, lists):
                continue
            signature = loaded.signatures[name]
            given = {k: tf.constant(v) for k, v in arrays(signature, lists).items()}
            took = seconds(lambda s=signature, g=given: s(**g)["scores"].numpy(), most)
            words = {"model": path.name, "signature": name, "lists": lists}
            yield row(took, sum(took), way="call", **words, in_flight=1)


def in_session(path: Path, sizes, threads, most: float):
    """Rows of calls from threads that share a session, as a model server keeps it."""
    signatures = tf.saved_model.load(str(path)).signatures
    options = tf.compat.v1.GPUOptions(allow_growth=True)
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True, gpu_options=options)
    with tf.compat.v1.Session(graph=tf.Graph(), config=config) as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
        for name, lists, count in itertools.product(SIGNATURES, sizes, threads):
            if name not in signatures or lists > LARGEST.get(name, lists):
                continue
            ends, given = meta.signature_def[name], arrays(signatures[name], lists)
            feeds = [ends.inputs[k].name for k in given]
            call = session.make_callable([ends.outputs["scores"].name], feeds)
            seconds(lambda call=call, given=given: call(*given.values()), 0)
            begun = time.perf_counter()
            with ThreadPoolExecutor(count) as pool:
                found = pool.map(
                    lambda _, call=call, given=given: seconds(
                        lambda: call(*given.values()), most, warm=0
                    ),
                    range(count),
                )
                took = [t for mine in found for t in mine]
            wall = time.perf_counter() - begun
            words = {"model": path.name, "signature": name, "lists": lists}
            yield row(took, wall, way="session", **words, in_flight=count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", type=Path, nargs="+", help="folders of versions")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lists", type=int, nargs="+", default=[1, 256, 1024, 4096])
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each figure")
    given = parser.parse_args()
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    rows = []
    for path in given.models:
        rows += by_call(path, given.lists, given.seconds)
        sizes = given.lists[0], given.lists[-1]
        rows += in_session(path, sizes, given.in_flight, given.seconds)
        devices = [d.name for d in tf.config.list_logical_devices()]
        content = {"tensorflow": tf.__version__, "devices": devices, "rows": rows}
        given.out.write_text(json.dumps(content, indent=1) + "\n")
        print(f"{path.name}: {len(rows)} figures so far", flush=True)


if __name__ == "__main__":
    main()

"""What starting a client costs, in a process of its own."""

import json
import subprocess
import sys

import pytest
from fake_server import answer, fake_server

HEAVY = "tensorflow keras tfx apache_beam tf_keras tensorflow_serving jax".split()
# What no client can do without.
PACKAGES = "numpy, grpc, google.protobuf.message_factory, google.protobuf.wrappers_pb2"
CODE = """
import json, os, sys
import {modules}
user, system, *_ = os.times()  # of the processor, since the process began
status = open("/proc/self/status").read()
memory = int(status.partition("VmRSS:")[2].split()[0]) / 1024
roots = sorted({{name.partition(".")[0] for name in sys.modules}} & {{*{heavy}}})
print(json.dumps({{"seconds": user + system, "memory": memory, "heavy": roots}}))
"""


def started(modules):
    code = CODE.format(modules=modules, heavy=HEAVY)
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' /proc/self/status")
@pytest.mark.parametrize("module", ["serving.client", "serving.client_async"])
def test_a_client_starts_in_under_0_4_seconds_and_60_megabytes(module):
    # In turn, so that what the machine does besides falls on both alike.
    pairs = [(started(module), started(PACKAGES)) for _ in range(3)]
    found, packages = zip(*pairs, strict=True)
    seconds = min(one["seconds"] for one in found)
    # On a machine so slow, or so busy, that the packages alone take about as much, the
    # client's own part is what can be held.
    alone = min(one["seconds"] for one in packages)
    assert seconds < max(0.4, 1.3 * alone), (found, packages)
    assert all(one["memory"] < 60 and one["heavy"] == [] for one in found), found


@pytest.mark.parametrize("module", ["page", "probe", "rerank_command", "messages"])
def test_what_stands_beside_the_client_loads_no_framework_either(module):
    assert started(f"serving.{module}")["heavy"] == []


def test_a_whole_call_loads_no_framework():
    code = (
        "import sys; sys.path.insert(0, 'tests/serving')\n"
        "from serving_lists import FEATURES, ranking_list\n"
        "from serving.client import RerankClient\n"
        "with RerankClient(sys.argv[1], FEATURES, timeout=10.0) as client:\n"
        "    print(client.rerank(ranking_list([1, 2])).item_ids)\n"
        f"print(sorted({{m.partition('.')[0] for m in sys.modules}} & {{*{HEAVY}}}))"
    )
    with fake_server(answer([[1, 0]])) as (target, _):
        run = subprocess.run(
            [sys.executable, "-c", code, target],
            capture_output=True,
            text=True,
            check=True,
        )
    assert run.stdout.splitlines() == ["('i1', 'i0')", "[]"]

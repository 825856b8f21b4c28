"""The example for Node.js, against servers. Needs npm, and packages once."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest
from fake_server import answer, fake_server
from serving_lists import FEATURES, ranking_list

from psad_tf.data.examples import decode_list
from serving.client import RerankClient
from serving.messages import PROTO_FOLDER
from serving.tensors import fill_tensor, read_tensor

EXAMPLE = PROTO_FOLDER.parent / "examples" / "nodejs"
FILES = ("package.json", "package-lock.json", ".npmrc")
# What npm says when it cannot reach a registry.
OFFLINE = "ENOTFOUND ECONNREFUSED ECONNRESET ETIMEDOUT EAI_AGAIN EHOSTUNREACH".split()
LIST = ranking_list([1, 3, 2], ["a", "é", "c"])


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The example's script beside its packages, which are kept for later runs."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node or npm is not installed; install Node.js 18 or later")
    folder = tmp_path_factory.mktemp("node") / "serving"
    shutil.copytree(PROTO_FOLDER, folder / "proto")
    without = shutil.ignore_patterns("node_modules")
    copied = shutil.copytree(EXAMPLE, folder / "examples" / "nodejs", ignore=without)
    (copied / "node_modules").symlink_to(_packages())
    return copied / "rerank.mjs"


def _packages() -> Path:
    """The folder of packages, installed by the first run that needs them."""
    known = hashlib.sha256(b"".join((EXAMPLE / f).read_bytes() for f in FILES))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "psad-tf" / f"nodejs-{known.hexdigest()[:12]}"
    if not folder.exists():
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        partial.mkdir(parents=True)
        for name in FILES:
            shutil.copy(EXAMPLE / name, partial)
        run = subprocess.run(
            ["npm", "ci", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"],
            cwd=partial,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if run.returncode:
            shutil.rmtree(partial)
            if any(code in run.stderr for code in OFFLINE):
                pytest.skip("npm cannot reach a package registry; connect it once")
            raise AssertionError(run.stderr)
        try:
            partial.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(partial)
    return folder / "node_modules"


def rerank(script, target, one=LIST, **options):
    """What the example says: the exit code, the JSON it prints, its errors."""
    words = [f"--{name}={value}" for name, value in options.items()]
    sent = {"user": one.user, "candidates": one.candidates, "history": one.history}
    run = subprocess.run(
        ["node", str(script), f"--target={target}", "--timeout=20000", *words],
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return run.returncode, run.stdout and json.loads(run.stdout), run.stderr


def test_it_answers_as_the_python_client_does(script, target):
    code, found, errors = rerank(script, target)
    assert (code, errors) == (0, "")
    with RerankClient(target, FEATURES, timeout=20.0) as client:
        expected = client.rerank(LIST)
    assert [item["item_id"] for item in found["items"]] == ["é", "c", "a"]
    assert [item["item_id"] for item in found["items"]] == list(expected.item_ids)
    assert [item["score"] for item in found["items"]] == list(expected.scores)
    assert found["model_version"] == expected.model_version == 1


def test_the_servers_refusals_have_their_codes(script, target):
    code, found, errors = rerank(script, target, model="nope")
    assert (code, found) == (1, "")
    assert "error: NOT_FOUND: Servable not found for request: Latest(nope)" in errors


def test_it_asks_for_a_version_and_takes_no_other(script):
    with fake_server(answer([[0, 1, 2]], version=3)) as (target, calls):
        found = [rerank(script, target, version=v) for v in ("3", "canary", "4")]
    assert [code for code, _, _ in found] == [0, 0, 1]
    assert [c.model_spec.version.value for c in calls] == [3, 0, 4]
    assert calls[1].model_spec.version_label == "canary"
    assert "version 3 answered in place of 4" in found[2][2]


def test_its_request_is_what_the_one_encoder_writes(script):
    with fake_server(answer([[0, 1, 2]])) as (target, calls):
        code, _, errors = rerank(script, target, model="other")
    assert (code, errors) == (0, "")
    (request,) = calls
    assert request.model_spec.name == "other"
    (example,) = read_tensor(request.inputs["examples"])
    assert decode_list(example, FEATURES) == replace(
        LIST, candidates=tuple(LIST.candidates), history=tuple(LIST.history)
    )


def test_it_reads_tensors_sent_as_bytes_or_cut_short(script):
    response = answer([[2, 1, 0]], [[0.5, 0.5, 0.5]])
    for name in ("scores", "order"):
        values = read_tensor(response.outputs[name]).copy()
        response.outputs[name].Clear()
        fill_tensor(response.outputs[name], values)
    short = answer([[2, 1, 0]])
    del short.outputs["scores"].float_val[:]
    short.outputs["scores"].float_val.append(0.5)
    for one in (response, short):
        with fake_server(one) as (target, _):
            code, found, _ = rerank(script, target)
        assert code == 0
        assert found["items"] == [{"item_id": i, "score": 0.5} for i in ("c", "é", "a")]


NARROW = answer([[0, 1, 2]])
NARROW.outputs["order"].Clear()
fill_tensor(NARROW.outputs["order"], np.array([[0, 1]], np.int32))


@pytest.mark.parametrize(
    "bad",
    [
        answer([[0, 1, 1]]),
        answer([[0, 1]]),
        answer([[0, 1, 2]], [[1, np.nan, 0]]),
        NARROW,
    ],
    ids=["an item twice", "an item too few", "NaN", "narrow"],
)
def test_it_refuses_an_answer_that_is_no_ranking(script, bad):
    with fake_server(bad) as (target, _):
        code, found, errors = rerank(script, target)
    assert (code, found) == (1, "") and "no ranking: order" in errors


def test_it_tries_a_shed_call_again_and_meets_its_deadline(script):
    code = grpc.StatusCode.UNAVAILABLE
    with fake_server(code, answer([[0, 1, 2]])) as (target, calls):
        assert rerank(script, target)[0] == 0
    assert len(calls) == 2
    _, _, errors = rerank(script, "127.0.0.1:1", timeout=300)
    assert "UNAVAILABLE" in errors or "DEADLINE_EXCEEDED" in errors


def test_it_names_the_feature_that_cannot_be_sent(script):
    mixed = replace(LIST, user=LIST.user | {"user_age": None})
    code, _, errors = rerank(script, "127.0.0.1:1", mixed)
    assert code == 1 and "user_age: [null]; give every item a text" in errors


def test_the_committed_files_name_no_registry():
    lock = json.loads((EXAMPLE / "package-lock.json").read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages and not any("resolved" in one for one in packages.values())
    assert all(one["integrity"] for one in packages.values())

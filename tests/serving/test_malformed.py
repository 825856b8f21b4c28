"""Ten thousand malformed requests: each is answered in words, and nothing is left."""

import random
from collections import Counter

import grpc
import numpy as np
import psutil
from parity_requests import RANK
from raw_client import predict_request
from serving_lists import FEATURES, ranking_list

from psad_tf.data.examples import encode_list
from serving.client import RerankClient
from serving.client_channel import open_channel
from serving.messages import PREDICT, PredictRequest

REQUESTS = 10_000
SIZES = (0, -1, 1, 2, 3, 7, 21, 100, 2**20, 2**40, 2**62)
LIST = ranking_list([1, 3, 2])
EXAMPLES = {"examples": np.array([encode_list(LIST, FEATURES)] * 2, object)}
VALID = [
    predict_request("rank", RANK).SerializeToString(),
    predict_request(inputs=EXAMPLES).SerializeToString(),
]


def noise(chance, longest):
    return bytes(chance.randrange(256) for _ in range(chance.randrange(longest)))


def flipped(chance, data):
    changed = bytearray(data)
    for _ in range(min(3, len(changed))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def another_type(chance, tensor):
    tensor.dtype = chance.randrange(30)


def another_size(chance, tensor):
    if tensor.tensor_shape.dim:
        chance.choice(tensor.tensor_shape.dim).size = chance.choice(SIZES)


def another_rank(chance, tensor):
    if chance.random() < 0.5:
        del tensor.tensor_shape.dim[:]
    else:
        tensor.tensor_shape.dim.add(size=chance.choice(SIZES))


def other_bytes(chance, tensor):
    if tensor.string_val:
        place = chance.randrange(len(tensor.string_val))
        tensor.string_val[place] = flipped(chance, tensor.string_val[place])
    elif tensor.tensor_content:
        tensor.tensor_content = flipped(chance, tensor.tensor_content)


def garbage(chance, tensor):
    tensor.string_val.append(noise(chance, 400))
    tensor.tensor_content = noise(chance, 40)


def nothing_but_a_shape(chance, tensor):
    kept = tensor.dtype
    tensor.Clear()
    tensor.dtype = kept
    for _ in range(chance.randrange(5)):
        tensor.tensor_shape.dim.add(size=chance.choice(SIZES))


MUTATIONS = (
    another_type,
    another_size,
    another_rank,
    other_bytes,
    garbage,
    nothing_but_a_shape,
)


def malformed(chance):
    """The bytes of a request that was valid once."""
    if chance.random() < 0.05:
        return flipped(chance, chance.choice(VALID))
    request = PredictRequest.FromString(chance.choice(VALID))
    for _ in range(chance.choice((1, 1, 2, 3))):
        name = chance.choice(sorted(request.inputs))
        if len(request.inputs) > 1 and chance.random() < 0.1:
            del request.inputs[name]
        else:
            chance.choice(MUTATIONS)(chance, request.inputs[name])
    return request.SerializeToString()


def code_of(ask, sent):
    try:
        ask(sent, timeout=30)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def test_malformed_requests_are_told_and_leave_nothing_behind(target):
    """The server is in this process: a crash or a leak would be this test's."""
    chance, codes = random.Random(0), Counter()
    with open_channel(target) as channel:
        ask = channel.unary_unary(PREDICT)
        for number in range(REQUESTS):
            if number == REQUESTS // 4:  # once all that is made once is there
                before = psutil.Process().memory_info().rss
            codes[code_of(ask, malformed(chance))] += 1
    grown = psutil.Process().memory_info().rss - before
    assert sum(codes.values()) == REQUESTS
    # The bytes of some make another name, signature, or no message at all.
    others = {"NOT_FOUND", "FAILED_PRECONDITION", "INTERNAL"}
    assert codes.keys() <= {"OK", "INVALID_ARGUMENT"} | others, codes
    assert codes["INVALID_ARGUMENT"] > REQUESTS / 2
    assert sum(codes[code] for code in others) < REQUESTS * 0.05
    assert grown < 64 * 2**20, grown
    with RerankClient(target, FEATURES) as client:
        assert client.rerank(LIST).item_ids == ("i1", "i2", "i0")

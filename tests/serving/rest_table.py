"""What TensorFlow Serving 2.19.1 was seen to reply over REST, as data."""

import base64
import gzip
import json
import urllib.error
import urllib.request
from dataclasses import dataclass

from serving_lists import FEATURES, ranking_list

from psad_tf.data.examples import encode_list
from psad_tf.data.packing import pack_lists

MODEL = "/v1/models/psad"
HTML_404 = ("a path that is not of the API",)


@dataclass
class Answer:
    status: int
    text: str
    content_type: str

    @property
    def json(self):
        return json.loads(self.text)


def send(url, path, body=None, verb=None, headers=None):
    """A request's reply, whatever its status."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    asked = urllib.request.Request(
        url + path, data=data, method=verb, headers=headers or {}
    )
    try:
        reply = urllib.request.urlopen(asked, timeout=30)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        return Answer(
            reply.status, reply.read().decode(), reply.headers["Content-Type"]
        )


def post(body, path=f"{MODEL}:predict", headers=None):
    return {"path": path, "body": body, "headers": headers}


def get(path):
    return {"path": path}


def error(message):
    """The body of an error, laid out as the real server does."""
    return f'{{\n    "error": {json.dumps(message)}\n}}'


def example(scores):
    encoded = encode_list(ranking_list(scores), FEATURES)
    return {"b64": base64.b64encode(encoded).decode()}


def plain(array):
    if array.dtype != object:
        return array.tolist()
    return [one.decode() if isinstance(one, bytes) else plain(one) for one in array]


EXAMPLES = [example([1, 3, 2]), example([5, 4])]
RANK = {n: plain(a) for n, a in pack_lists([ranking_list([1, 2])], FEATURES).items()}
ROW = {name: values[0] for name, values in RANK.items()}
UNEQUAL = ROW | {"user_values": [1.0, *ROW["user_values"]]}


def ranks(*best):
    """Whether each list's best candidate is the one expected."""
    return lambda rows: [row["order"][0] for row in rows["predictions"]] == list(best)


REPLIES = {
    "rows": (post({"instances": EXAMPLES}), 200, ranks(1, 0)),
    "named rows": (
        post({"instances": [{"examples": one} for one in EXAMPLES]}),
        200,
        ranks(1, 0),
    ),
    "rows of many inputs": (
        post({"signature_name": "rank", "instances": [ROW, ROW]}),
        200,
        ranks(1, 1),
    ),
    "columns": (
        post({"inputs": {"examples": EXAMPLES}}),
        200,
        lambda said: [row[:2] for row in said["outputs"]["order"]] == [[1, 2], [0, 1]],
    ),
    "columns of one input": (
        post({"inputs": EXAMPLES}),
        200,
        lambda said: said["outputs"]["scores"][0][:3] == [1.0, 3.0, 2.0],
    ),
    "one output": (
        post({"signature_name": "one", "inputs": 3}),
        200,
        '{\n    "outputs": 6\n}',
    ),
    "a version": (
        post({"instances": EXAMPLES}, f"{MODEL}/versions/1:predict"),
        200,
        ranks(1, 0),
    ),
    "gzip": (
        post(
            gzip.compress(json.dumps({"instances": EXAMPLES}).encode()),
            headers={"Content-Encoding": "gzip"},
        ),
        200,
        ranks(1, 0),
    ),
    "letters of either case": (
        post({"instances": EXAMPLES}, "/V1/Models/psad:Predict"),
        200,
        ranks(1, 0),
    ),
    "no key": (post({}), 400, error("Missing 'inputs' or 'instances' key")),
    "unknown signature": (
        post({"signature_name": "zz", "instances": [1]}),
        400,
        error('Serving signature name: "zz" not found in signature def'),
    ),
    "unknown model": (
        post({"instances": [1]}, "/v1/models/nope:predict"),
        404,
        error("Servable not found for request: Latest(nope)"),
    ),
    "unknown version": (
        post({"instances": [1]}, f"{MODEL}/versions/9:predict"),
        404,
        error("Servable not found for request: Specific(psad, 9)"),
    ),
    "unknown label": (
        post({"instances": [1]}, f"{MODEL}/labels/canary:predict"),
        400,
        error("Unrecognized servable version label: canary"),
    ),
    "version overflow": (
        post({"instances": [1]}, f"{MODEL}/versions/{10**30}:predict"),
        400,
        "",
    ),
    "rows of unequal length": (
        post({"signature_name": "rank", "instances": [ROW, UNEQUAL]}),
        400,
        error(
            "Failed to process element: 1 key: user_values of 'instances' list. "
            f"Error: INVALID_ARGUMENT: Expecting tensor size: {len(ROW['user_values'])}"
            f" but got: {len(UNEQUAL['user_values'])}"
        ),
    ),
    "an input missing": (
        post({"signature_name": "rank", "inputs": {"user_text": [["x"]]}}),
        400,
        lambda said: said["error"].startswith("Missing named input: "),
    ),
    "no JSON": (
        post(b"{"),
        400,
        lambda said: said["error"].startswith("JSON Parse error: "),
    ),
    "nothing": (post(b""), 400, error("JSON Parse error: The document is empty")),
    "no gzip": (
        post(b"{}", headers={"Content-Encoding": "gzip"}),
        400,
        lambda said: "no gzip" in said["error"],
    ),
    "another verb": (
        {"path": f"{MODEL}:predict", "body": {}, "verb": "PUT"},
        400,
        error(f"Malformed request: PUT {MODEL}:predict"),
    ),
    "a bad verb": (
        post({}, f"{MODEL}:guess"),
        400,
        error(f"Malformed request: POST {MODEL}:guess"),
    ),
    "no model": (get("/v1/models"), 400, error("Missing model name in request.")),
    "a path that is not of the API": (
        get("/v2/models/psad"),
        404,
        "<html><head>\n<title>404 Not Found</title>\n</head><body>\n"
        "<h1>Not Found</h1>\n</body></html>\n",
    ),
    "status": (
        get(MODEL),
        200,
        lambda said: (
            said
            == {
                "model_version_status": [
                    {
                        "version": "1",
                        "state": "AVAILABLE",
                        "status": {"error_code": "OK", "error_message": ""},
                    }
                ]
            }
        ),
    ),
    "status of any label at all": (
        get(f"{MODEL}/labels/ANYTHING"),
        200,
        lambda said: len(said["model_version_status"]) == 1,
    ),
    "status of an unknown version": (
        get(f"{MODEL}/versions/9"),
        404,
        error("Could not find version 9 of model psad"),
    ),
    "metadata": (
        get(f"{MODEL}/metadata"),
        200,
        lambda said: (
            said["model_spec"]["version"] == "1"
            and "rank" in said["metadata"]["signature_def"]["signature_def"]
        ),
    ),
    "classify": (
        post({"examples": [{}]}, f"{MODEL}:classify"),
        501,
        lambda said: "predict alone" in said["error"],
    ),
}

"""One request from a JSON document, answered on the terminal."""

import json
import sys
from pathlib import Path
from typing import TextIO

from psad_tf.data.ranking_list import RankingList
from psad_tf.errors import InputError
from psad_tf.feature_sets import feature_set
from serving.answers import Reranked
from serving.client import RerankClient
from serving.errors import RerankError
from serving.options import BAD_INPUT

_SERVER_FAILED = 1
_TIMEOUT = 5.0
_FORM = '{"user": {...}, "candidates": [{...}, ...], "history": [{...}, ...]}'


def rerank(
    target: str,
    request: Path | str | TextIO,
    dataset: str = "movielens_100k",
    as_json: bool = False,
    model_name: str = "psad",
    version: int | str | None = None,
) -> int:
    """Prints a request's items in their new order, best first, with their scores.

    Args:
        target: `host:port` of the server's gRPC.
        request: A JSON file's path, `-` for standard input, or an open file: an object
            with `user`, `candidates` and (optionally) `history`, features by name.
        dataset: The data set whose features the model was trained with.
        as_json: Print one JSON object instead of lines.
        model_name: The model's name at the server.
        version: Of the model, by its number or its label; None for the newest.

    Returns:
        The exit code: 0; 1 when the server failed; 3 for a request that cannot be sent.
        What went wrong and its remedy are on stderr.
    """
    try:
        features = feature_set(dataset)
        ranking_list = read_request(_text(request))
        with RerankClient(
            target, features, model_name, _TIMEOUT, version=version
        ) as client:
            answer = client.rerank(ranking_list)
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except RerankError as error:
        print(f"error: {error}", file=sys.stderr)
        return _SERVER_FAILED
    print(_as_json(answer) if as_json else _as_lines(answer))
    return 0


def read_request(text: str) -> RankingList:
    """A request from its JSON.

    Raises:
        InputError: It is no JSON of the right form.
    """
    try:
        request = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"the request is no JSON: {error}; send {_FORM}") from error
    if not isinstance(request, dict):
        raise InputError(f"the request is no JSON object; send {_FORM}")
    unknown = sorted(request.keys() - {"user", "candidates", "history"})
    missing = sorted({"user", "candidates"} - request.keys())
    if unknown or missing:
        raise InputError(
            f"the request lacks {missing} and has unknown {unknown}; send {_FORM}"
        )
    if not isinstance(request["user"], dict):
        raise InputError(f"user={request['user']!r} is no object; send {_FORM}")
    for field in ("candidates", "history"):
        items = request.get(field, [])
        if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
            raise InputError(f"{field} is no array of objects; send {_FORM}")
    return RankingList(
        request["user"], request["candidates"], request.get("history", [])
    )


def _text(request):
    if hasattr(request, "read"):
        return request.read()
    return sys.stdin.read() if str(request) == "-" else Path(request).read_text("utf-8")


def _as_lines(answer: Reranked) -> str:
    rows = zip(answer.item_ids, answer.scores, strict=True)
    lines = [f"{i:>3}  {score:>10.4f}  {id}" for i, (id, score) in enumerate(rows, 1)]
    return "\n".join([f"version {answer.model_version}", *lines])


def _as_json(answer: Reranked) -> str:
    rows = zip(answer.item_ids, answer.scores, strict=True)
    items = [{"item_id": item_id, "score": score} for item_id, score in rows]
    return json.dumps({"model_version": answer.model_version, "items": items})

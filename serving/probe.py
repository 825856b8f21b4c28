"""Is a model server ready? Its word for it, and a canary list it has to rerank."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import grpc

from psad_tf.data.ranking_list import RankingList
from psad_tf.errors import InputError
from psad_tf.feature_sets import feature_set
from psad_tf.features import FeatureSet
from serving.client import RerankClient
from serving.client_channel import open_channel
from serving.errors import RerankError
from serving.messages import (
    AVAILABLE,
    GET_MODEL_STATUS,
    GetModelStatusRequest,
    GetModelStatusResponse,
)
from serving.option_error import BAD_INPUT
from serving.tls import client_credentials


@dataclass(frozen=True)
class Readiness:
    """Whether a server can be sent traffic, the version that is served, and why not."""

    is_ready: bool
    version: int | None = None
    reason: str = ""


def probe(
    target: str,
    features: FeatureSet,
    model_name: str = "psad",
    timeout: float = 5.0,
    credentials: grpc.ChannelCredentials | None = None,
) -> Readiness:
    """Asks for the model's state, then for the order of a canary list.

    The state alone is not enough: a version whose files are incomplete can count as
    available and fail every request.
    """
    try:
        statuses = model_status(target, model_name, timeout, credentials)
        if not any(status.state == AVAILABLE for status in statuses):
            return Readiness(False, reason=_why_none(model_name, statuses))
        with RerankClient(
            target, features, model_name, timeout, credentials=credentials
        ) as client:
            answer = client.rerank(canary(features))
    except RerankError as error:
        return Readiness(False, reason=str(error))
    return Readiness(True, answer.model_version)


def model_status(
    target: str,
    model_name: str = "psad",
    timeout: float = 5.0,
    credentials: grpc.ChannelCredentials | None = None,
) -> list:
    """What the server says of each version it knows: `version`, `state`, `status`.

    Raises:
        RerankError: The server does not answer, or does not know the model.
    """
    request = GetModelStatusRequest()
    request.model_spec.name = model_name
    with open_channel(target, credentials) as channel:
        ask = channel.unary_unary(
            GET_MODEL_STATUS,
            request_serializer=GetModelStatusRequest.SerializeToString,
            response_deserializer=GetModelStatusResponse.FromString,
        )
        try:
            response = ask(request, timeout=timeout)
        except grpc.RpcError as error:
            raise RerankError.from_rpc(error, target) from error
    return list(response.model_version_status)


def canary(features: FeatureSet) -> RankingList:
    """A request of two candidates that any model of the feature set can answer."""

    def item(of, text):
        return {f.name: text if f.kind.is_text else 0.0 for f in of}

    candidates = [item(features.of_candidates(), f"canary{i}") for i in range(2)]
    return RankingList(item(features.user, "canary"), candidates)


def _why_none(model_name, statuses):
    said = [
        f"version {s.version}: state {s.state} {s.status.error_message}".rstrip()
        for s in statuses
    ]
    return f"no version of {model_name!r} is available ({'; '.join(said)})"


def main(arguments: list[str] | None = None) -> int:
    """The command of a container's readiness check: 0 when ready, else 1.

    3 is for options that cannot work, whatever the server does.
    """
    parser = argparse.ArgumentParser(prog="serving.probe", description=__doc__)
    parser.add_argument("--target", default="127.0.0.1:8500")
    parser.add_argument("--model_name", default="psad")
    parser.add_argument("--dataset", default="movielens_100k")
    parser.add_argument("--timeout", type=float, default=5.0)
    for name, what in (
        ("ca_file", "the authority that signed the server's certificate (TLS)"),
        ("key_file", "this client's key (mutual TLS)"),
        ("cert_file", "this client's certificate (mutual TLS)"),
    ):
        parser.add_argument(f"--{name}", type=Path, help=f"PEM file of {what}")
    options = parser.parse_args(arguments)
    try:
        features = feature_set(options.dataset)
        credentials = client_credentials(
            options.ca_file, options.key_file, options.cert_file
        )
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    readiness = probe(
        options.target, features, options.model_name, options.timeout, credentials
    )
    if readiness.is_ready:
        print(f"ready: version {readiness.version} of {options.model_name}")
        return 0
    print(f"not ready: {readiness.reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

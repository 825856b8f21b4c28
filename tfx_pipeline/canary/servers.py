"""Tells model servers which versions to hold, and waits until they do."""

import socket
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import grpc
from google.protobuf import wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

from psad_tf.errors import InputError
from serving.client_channel import open_channel
from serving.errors import RerankError
from serving.messages import AVAILABLE, END
from serving.probe import model_status

_RELOAD = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"
# `tensorflow_model_server` gives a version that does not load five minutes.
_LOAD_SECONDS = 600.0
_LOOK_SECONDS = 0.1
# A server opens its ports once its first version has loaded.
_OPEN_SECONDS = 60.0


class _Refused(Exception):
    """Why a server does not do as it is told."""


def configuration(name: str, path: Path, labels: Mapping[str, int], held: Iterable):
    """The `ModelServerConfig` of one model that holds these versions and labels."""
    message = model_server_config_pb2.ModelServerConfig()
    model = message.model_config_list.config.add(
        name=name, base_path=str(path), model_platform="tensorflow"
    )
    model.model_version_policy.specific.versions.extend(sorted(held))
    for label, version in labels.items():
        model.version_labels[label] = version
    return message


def addresses(server: str) -> list[str]:
    """The servers behind a name: one for each address, as of a headless service.

    >>> addresses("127.0.0.1:8500")
    ['127.0.0.1:8500']

    Raises:
        InputError: It is no `host:port`, or nobody knows the host.
    """
    host, _, port = server.rpartition(":")
    try:
        found = socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM)
    except (ValueError, OSError) as error:
        raise InputError(
            f"--server={server}: {error}; give the host:port of a server's gRPC"
        ) from error
    return sorted({f"{address[0]}:{address[1]}" for *_, address in found})


def wait_until_open(servers: Iterable[str], seconds: float = _OPEN_SECONDS) -> None:
    """Waits until servers take calls; one that still doesn't is for `tell` to tell.

    Args:
        servers: The `host:port` of each, which may not have begun to serve yet.
        seconds: How long at most.
    """
    end = time.monotonic() + seconds
    for server in servers:
        with open_channel(server) as channel, suppress(grpc.FutureTimeoutError):
            left = max(end - time.monotonic(), 0)
            grpc.channel_ready_future(channel).result(timeout=left)


def tell(servers: Iterable[str], config) -> dict[str, str]:
    """Has servers serve a configuration, all at the same time.

    Args:
        servers: The `host:port` of each.
        config: A `ModelServerConfig` of one model.

    Returns:
        Of each server that does not serve it, why.
    """
    servers = list(servers)
    if not servers:
        return {}
    with ThreadPoolExecutor(len(servers)) as pool:
        said = pool.map(lambda server: _told(server, config), servers)
        return {one: why for one, why in zip(servers, said, strict=True) if why}


def _told(server: str, config) -> str:
    """What kept a server from it; "" for nothing."""
    try:
        _reload(server, config)
        _wait_until_held(server, config.model_config_list.config[0])
    except _Refused as refused:
        return str(refused)
    return ""


def _reload(server, config) -> None:
    # A ReloadConfigRequest to the byte: its own class would import TensorFlow.
    request = wrappers_pb2.BytesValue(value=config.SerializeToString())
    with open_channel(server) as channel:
        ask = channel.unary_unary(_RELOAD)
        try:
            ask(request.SerializeToString(), timeout=_LOAD_SECONDS)
        except grpc.RpcError as error:
            raise _Refused(f"{error.code().name}: {error.details()}") from error


def _wait_until_held(server, model) -> None:
    """Until each version is available: the real server answers before it has loaded."""
    wanted = {*model.model_version_policy.specific.versions}
    end = time.monotonic() + _LOAD_SECONDS
    while time.monotonic() < end:
        try:
            found = {s.version: s for s in model_status(server, model.name)}
        except RerankError as error:
            raise _Refused(str(error)) from error
        states = {number: found.get(number) for number in wanted}
        if all(one and one.state == AVAILABLE for one in states.values()):
            return
        for number, one in states.items():
            if one and one.state == END and one.status.error_code:
                raise _Refused(f"version {number}: {one.status.error_message}")
        time.sleep(_LOOK_SECONDS)
    raise _Refused(f"versions {sorted(wanted)} are not there after {_LOAD_SECONDS} s")

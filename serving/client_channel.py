"""Connections to a model server, for threads and for asyncio."""

import json

import grpc

# Retries are the client's own (`serving.client_policy`), where they are counted and a
# circuit breaker sees them.
_SERVICE_CONFIG = {"loadBalancingConfig": [{"round_robin": {}}]}
CHANNEL_OPTIONS = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    # gRPC's limit for an answer is 4 MiB; servers send more.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Servers close connections that are pinged more often than every five minutes.
    ("grpc.keepalive_time_ms", 300_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Each client's connection is its own: of one that is closed, gRPC for asyncio keeps
    # the connection while anything refers to one of its calls, such as a logged error.
    # A client of the same target made then would share it, and wait as that one would.
    ("grpc.use_local_subchannel_pool", 1),
    # A server that was restarted is found again soon; gRPC would wait 1 to 120 seconds.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


def open_channel(
    target: str, credentials: grpc.ChannelCredentials | None = None
) -> grpc.Channel:
    """A channel to a model server, without encryption when no credentials are given."""
    if credentials is None:
        return grpc.insecure_channel(target, CHANNEL_OPTIONS)
    return grpc.secure_channel(target, credentials, CHANNEL_OPTIONS)


def open_async_channel(
    target: str, credentials: grpc.ChannelCredentials | None = None
) -> grpc.aio.Channel:
    """The same for the running event loop."""
    if credentials is None:
        return grpc.aio.insecure_channel(target, CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(target, credentials, CHANNEL_OPTIONS)

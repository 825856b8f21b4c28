"""The gRPC side of the embedded server: services, health, limits and credentials."""

from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from serving.backend import Backend
from serving.option_error import OptionError
from serving.options import Options
from serving.services import Unimplemented, handlers
from serving.tls import server_credentials

# Threads and calls beyond those that run or wait to run: so that status and health are
# answered, and surplus calls turned away in words, while all the others are taken.
_SPARE = 16
_HEALTHY = ("", "ModelService", "PredictionService")  # as the real server names them


class GrpcServer:
    """A backend behind a gRPC port.

    Args:
        backend: What answers.
        options: The port, the limits and the credentials.

    Raises:
        OptionError: The port cannot be listened on, or the credentials are none.
    """

    def __init__(self, backend: Backend, options: Options):
        taken = options.grpc_max_threads + options.max_queued_requests
        self._server = grpc.server(
            # Waiting calls hold a thread each; what runs is bounded by the backend.
            futures.ThreadPoolExecutor(taken + _SPARE, thread_name_prefix="grpc"),
            handlers(backend),
            options=_channel_arguments(options.grpc_channel_arguments),
            maximum_concurrent_rpcs=taken + 2 * _SPARE,
        )
        self._health = health.HealthServicer()
        if options.enable_grpc_healthcheck_service:
            for name in _HEALTHY:
                self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
            health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._server.add_generic_rpc_handlers((Unimplemented(),))
        self.port = self._listen(f"{options.host}:{options.port}", options)

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()

    def stop(self, seconds: float):
        """Takes no new call; an event that is set when those under way have ended."""
        self._health.enter_graceful_shutdown()
        return self._server.stop(seconds)

    def _listen(self, address, options):
        try:
            if options.ssl_config_file is None:
                return self._server.add_insecure_port(address)
            credentials = server_credentials(options.ssl_config_file)
            return self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise OptionError(
                f"cannot listen on {address}; choose another --port or --host"
                + (", or check the PEM texts" if options.ssl_config_file else "")
            ) from error


def _channel_arguments(text: str) -> list[tuple[str, int | str]]:
    """gRPC's options: the server's own, then `name=value,...` as given."""
    arguments = {
        "grpc.max_send_message_length": -1,
        "grpc.max_receive_message_length": -1,
        "grpc.so_reuseport": 0,  # two servers on one port are a mistake
    }
    for pair in filter(None, text.split(",")):
        name, value = pair.split("=")
        is_number = value.lstrip("-").isdecimal()
        arguments[name] = int(value) if is_number else value
    return list(arguments.items())

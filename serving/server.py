"""The embedded model server, for machines without `tensorflow_model_server`.

    python -m serving.server --model_base_path=/models/psad --model_name=psad

It speaks the gRPC of TensorFlow Serving for what this project needs: Predict,
GetModelMetadata, GetModelStatus and health checks over folders of versions.
"""

import logging
import signal
import sys
import threading
from concurrent import futures

from serving.options import BAD_INPUT, OptionError, Options, parse

_DRAIN_SECONDS = 30
# Calls that wait for a thread, for each one that has one; the rest are told to go
# elsewhere (RESOURCE_EXHAUSTED) instead of waiting for longer than their deadline.
_QUEUE_DEPTH = 16


class Server:
    """Models behind a gRPC port.

    Args:
        options: What to serve and where.

    Raises:
        OptionError: The config file or the port cannot be used.
    """

    def __init__(self, options: Options):
        # Only now: importing TensorFlow takes seconds, finding bad options does not.
        from serving.model_config import base_paths
        from serving.store import ModelStore

        self._options = options
        self._store = ModelStore(
            base_paths(options), options.file_system_poll_wait_seconds
        )
        self._grpc = None
        self._health = None

    def start(self) -> int | None:
        """Loads every model, then opens the port; the port, or None when stopped.

        Raises:
            Fault: A model has versions and none of them loads.
        """
        if not self._store.wait_until_loaded():
            return None
        self._grpc, self._health = _grpc_server(self._store, self._options)
        address = f"{self._options.host}:{self._options.port}"
        try:
            port = self._grpc.add_insecure_port(address)
        except RuntimeError as error:
            raise OptionError(
                f"cannot listen on {address}; choose another --port or --host"
            ) from error
        self._grpc.start()
        self._store.watch()
        return port

    def interrupt(self) -> None:
        """Ends `start` and `wait`; may be called by a signal handler."""
        # In a thread: the handler may have interrupted the main one in the very lock
        # that setting the event takes.
        threading.Thread(target=self._store.stop).start()

    def wait(self) -> None:
        """Until interrupted."""
        self._store.wait_until_stopped()

    def stop(self) -> None:
        """Takes no new request, answers those under way, frees the models."""
        if self._grpc is not None:
            self._health.enter_graceful_shutdown()
            self._grpc.stop(_DRAIN_SECONDS).wait()
        self._store.close()


def _grpc_server(store, options):
    import grpc
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc

    from serving.services import handlers

    threads = options.grpc_max_threads
    server = grpc.server(
        futures.ThreadPoolExecutor(threads, thread_name_prefix="grpc"),
        handlers(store),
        options=[
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
            ("grpc.so_reuseport", 0),  # two servers on one port are a mistake
        ],
        maximum_concurrent_rpcs=threads * (1 + _QUEUE_DEPTH),
    )
    servicer = health.HealthServicer()
    for name in ("ModelService", "PredictionService"):
        servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    return server, servicer


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; 0 after a clean stop, 3 for bad input."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    # TensorFlow calls loading into a session deprecated; it is what its server does.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from serving.fault import Fault

    try:
        server = Server(options)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.interrupt())
        port = server.start()
        if port is not None:
            print(f"ready: gRPC on {options.host}:{port}", flush=True)
            server.wait()
        server.stop()
    except (OptionError, Fault) as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    print("stopped", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The embedded model server, for machines without `tensorflow_model_server`.

    python -m serving.server --model_base_path=/models/psad --model_name=psad

It speaks the gRPC and the REST of TensorFlow Serving for what this project needs, over
folders of versions; see docs/serving.md.
"""

import faulthandler
import logging
import signal
import sys
import threading
from functools import partial

from psad_tf.quick_start import quick_start
from serving.option_error import BAD_INPUT, OptionError
from serving.options import Options, parse

_log = logging.getLogger(__name__)
_DRAIN_SECONDS = 30
_SPARE_SECONDS = 1.0  # after which calls that cannot even be cancelled are left
_LOOK_UP_SECONDS = 1.0
_METRICS_PATH = "/monitoring/prometheus/metrics"


class Server:
    """Models behind a gRPC port and, if asked for, a REST port.

    Args:
        options: What to serve and where.

    Raises:
        OptionError: A configuration file cannot be used.
    """

    def __init__(self, options: Options):
        # Only now: importing TensorFlow takes seconds, finding bad options does not.
        from serving.config_watch import ConfigWatch
        from serving.metrics import Metrics
        from serving.model_config import model_configs
        from serving.servable import Running, Servable
        from serving.store import ModelStore

        self._options = options
        self._metrics_path = _metrics_path(options)
        self._metrics = Metrics()
        self._store = ModelStore(
            model_configs(options),
            options.file_system_poll_wait_seconds,
            partial(Servable, running=Running(options, self._metrics)),
            options.allow_version_labels_for_unavailable_models,
        )
        self._config_watch = ConfigWatch(self._store, options)
        self._grpc = None
        self._rest = None

    def start(self) -> int | None:
        """Loads every model, then opens the ports; gRPC's, or None when stopped.

        Raises:
            Fault: A model has versions and none of them loads.
            OptionError: A port cannot be listened on, or the credentials are none.
        """
        from serving.admission import Admission
        from serving.backend import Backend
        from serving.grpc_server import GrpcServer
        from serving.memory import freeze

        freeze()
        if not self._store.wait_until_loaded():
            return None
        options = self._options
        admission = Admission(options.grpc_max_threads, options.max_queued_requests)
        backend = Backend(self._store, admission, self._metrics)
        grpc_server = GrpcServer(backend, options)
        if options.rest_api_port:
            self._rest = self._rest_server(backend)
            self._rest.start()
        self._grpc = grpc_server
        self._grpc.start()
        self._store.watch()
        self._config_watch.start()
        return self._grpc.port

    def interrupt(self) -> None:
        """Ends `start` and `wait`; may be called by a signal handler."""
        # In a thread: the handler may have interrupted the main one in the very lock
        # that setting the event takes.
        threading.Thread(target=self._store.stop).start()

    def wait(self) -> None:
        """Until interrupted."""
        # Looks up now and then: a signal that another thread took in wakes nobody.
        while not self._store.wait_until_stopped(_LOOK_UP_SECONDS):
            pass

    def stop(self) -> None:
        """Takes no new request, answers those under way, frees the models."""
        drained = self._grpc and self._grpc.stop(_DRAIN_SECONDS)
        if self._rest is not None:
            self._rest.stop(_DRAIN_SECONDS)
        if drained and not drained.wait(_DRAIN_SECONDS + _SPARE_SECONDS):
            _log.warning("some calls neither ended nor could be cancelled")
        self._store.close()

    def _rest_server(self, backend):
        from serving.rest import Rest
        from serving.rest_server import RestServer

        seconds = self._options.rest_api_timeout_in_ms / 1000
        rest = Rest(backend, seconds, self._metrics_path)
        return RestServer(rest, self._options.host, self._options.rest_api_port)


def _metrics_path(options: Options) -> str | None:
    """Where the monitoring file puts the metrics; None for nowhere."""
    if options.monitoring_config_file is None:
        return None
    from serving.config_messages import MonitoringConfig, read_text_message

    config = read_text_message(options.monitoring_config_file, MonitoringConfig)
    prometheus = config.prometheus_config
    return (prometheus.path or _METRICS_PATH) if prometheus.enable else None


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; 0 after a clean stop, 3 for bad input."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    quick_start()
    # TensorFlow calls loading into a session deprecated; it is what its server does.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    from serving.fault import Fault
    from serving.memory import hold

    hold()
    try:
        server = Server(options)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.interrupt())
        port = server.start()
        if port is not None:
            print(_ready(options, port), flush=True)
            server.wait()
        # Should something hang, the log says where.
        faulthandler.dump_traceback_later(_DRAIN_SECONDS + _SPARE_SECONDS / 2)
        server.stop()
    except (OptionError, Fault) as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    print("stopped", flush=True)
    return 0


def _ready(options, port):
    secured = " (TLS)" if options.ssl_config_file else ""
    rest = f", REST on port {options.rest_api_port}" if options.rest_api_port else ""
    return f"ready: gRPC on {options.host}:{port}{secured}{rest}"


if __name__ == "__main__":
    sys.exit(main())

"""The HTTP server of the REST interface: a thread a connection, kept alive."""

import logging
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from serving.option_error import OptionError
from serving.rest import LARGEST_BODY, Reply, Rest
from serving.rest_json import error_body

_log = logging.getLogger(__name__)
_IDLE_SECONDS = 120
_MOST_CONNECTIONS = 512


class RestServer:
    """Serves `Rest` on a port.

    Args:
        rest: What answers.
        host: The address to listen on.
        port: The port; 0 for a free one.

    Raises:
        OptionError: The port cannot be listened on.
    """

    def __init__(self, rest: Rest, host: str, port: int):
        try:
            self._server = _Server(rest, host, port)
        except OSError as error:
            raise OptionError(
                f"cannot listen on {host}:{port} ({error.strerror}); choose another "
                "--rest_api_port or --host"
            ) from error
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, daemon=True, name="rest"
        )

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Takes no new connection, and gives requests under way time to end."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.wait_until_idle(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # Two servers on one port are a mistake; a port just left may be taken again.
    allow_reuse_port = False
    request_queue_size = 128

    def __init__(self, rest, host, port):
        self.rest = rest
        self.is_draining = False
        self._running = 0
        self._idle = threading.Condition()
        self._connections = threading.Semaphore(_MOST_CONNECTIONS)
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    def process_request(self, request, client_address):
        if not self._connections.acquire(blocking=False):
            self.shutdown_request(request)  # the client sees a closed connection
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request, client_address):
        _log.info("a REST connection broke", exc_info=True)

    def __enter__(self):
        with self._idle:
            self._running += 1

    def __exit__(self, *exception):
        with self._idle:
            self._running -= 1
            self._idle.notify_all()

    def wait_until_idle(self, seconds):
        """Until no request runs any more, or the seconds are over."""
        self.is_draining = True
        end = time.monotonic() + seconds
        with self._idle:
            while self._running and (left := end - time.monotonic()) > 0:
                self._idle.wait(left)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # One packet an answer: else the second waits for the first one's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self):
        length = self._body_length()
        if length is None:
            return
        with self.server:
            body = self.rfile.read(length)
            path = self.path.partition("?")[0]
            encoding = self.headers.get("Content-Encoding", "")
            self._reply(self.server.rest.answer(self.command, path, body, encoding))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _serve

    def _body_length(self):
        """How long the body is; None when that has been refused."""
        given = self.headers.get("Content-Length", "0")
        refused = None
        if "Transfer-Encoding" in self.headers:
            refused = Reply(411, error_body("send the body with a Content-Length"))
        elif not (given.isascii() and given.isdecimal()):
            refused = Reply(400, error_body(f"Content-Length {given!r} is no number"))
        elif int(given[:20]) > LARGEST_BODY:
            refused = Reply(413, error_body(f"a body has at most {LARGEST_BODY} bytes"))
        if refused is None:
            return int(given)
        self.close_connection = True  # the body is left unread
        self._reply(refused)
        return None

    def _reply(self, reply):
        if self.server.is_draining:
            self.close_connection = True
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, *ignored):
        """Requests are counted, not logged."""

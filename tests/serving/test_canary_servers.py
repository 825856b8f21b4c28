"""Servers that begin to serve only once there is a version to be released."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from embedded import free_port

from tfx_pipeline.canary.servers import wait_until_open


def test_a_server_is_waited_for_until_it_takes_calls():
    target = f"127.0.0.1:{free_port()}"
    server = grpc.server(ThreadPoolExecutor(1))

    def open_it():
        server.add_insecure_port(target)
        server.start()

    opens = threading.Timer(0.3, open_it)
    opens.start()
    wait_until_open([target], seconds=30)
    opens.join()
    with grpc.insecure_channel(target) as channel:
        grpc.channel_ready_future(channel).result(timeout=1)
    server.stop(None)


def test_one_that_stays_closed_is_waited_for_no_longer_than_that():
    wait_until_open([f"127.0.0.1:{free_port()}"] * 2, seconds=0.2)

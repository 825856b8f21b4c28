"""Both clients behind one interface, so that a test holds them to the same."""

import asyncio

import pytest
from serving_lists import FEATURES

from serving.client import RerankClient
from serving.client_async import AsyncRerankClient


class OnLoop:
    """The asyncio client, each call awaited to its end on a loop of its own."""

    def __init__(self, *arguments, **options):
        self.runner = asyncio.Runner()
        self.client = AsyncRerankClient(*arguments, **options)
        self.metrics = self.client.metrics

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        with self.runner:
            self.close()

    def close(self):
        self.runner.run(self.client.close())

    def rerank(self, *arguments):
        return self.runner.run(self.client.rerank(*arguments))

    def rerank_batch(self, *arguments):
        return self.runner.run(self.client.rerank_batch(*arguments))


@pytest.fixture(
    name="client", params=[RerankClient, OnLoop], ids=["threads", "asyncio"]
)
def any_client(request):
    """Makes a client of a target."""

    def make(target, **options):
        return request.param(target, FEATURES, **({"timeout": 5.0} | options))

    return make

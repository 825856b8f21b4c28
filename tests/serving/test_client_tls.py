"""Both clients over TLS, each side with a certificate of the same authority."""

import shutil
import subprocess
from concurrent import futures

import grpc
import pytest
from client_kinds import any_client  # noqa: F401
from fake_server import answer
from serving_lists import ranking_list

from serving.errors import RerankError
from serving.messages import PREDICT

THREE = ranking_list([3, 2, 1], ["a", "b", "c"])
pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is not installed"
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A key and its certificate for localhost, which is its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    command += " -addext subjectAltName=DNS:localhost"
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return key.read_bytes(), certificate.read_bytes()


@pytest.fixture(scope="module")
def secured(pair):
    """The target of a server that asks its clients for a certificate, too."""

    def predict(request, context):
        return answer([[2, 1, 0]]).SerializeToString()

    service, _, method = PREDICT[1:].partition("/")
    handler = grpc.method_handlers_generic_handler(
        service, {method: grpc.unary_unary_rpc_method_handler(predict)}
    )
    server = grpc.server(futures.ThreadPoolExecutor(2), [handler])
    credentials = grpc.ssl_server_credentials([pair], pair[1], True)
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    yield f"localhost:{port}"
    server.stop(None).wait()


def test_who_shows_a_certificate_is_answered(client, secured, pair):
    key, certificate = pair
    credentials = grpc.ssl_channel_credentials(certificate, key, certificate)
    with client(secured, credentials=credentials) as one:
        assert one.rerank(THREE).item_ids == ("c", "b", "a")


@pytest.mark.parametrize("case", ["no certificate", "an unknown authority", "no TLS"])
def test_who_does_not_is_refused(client, secured, pair, case):
    credentials = {
        "no certificate": grpc.ssl_channel_credentials(pair[1]),
        "an unknown authority": grpc.ssl_channel_credentials(),
        "no TLS": None,
    }[case]
    with client(secured, credentials=credentials, timeout=2.0) as one:
        with pytest.raises(RerankError) as raised:
            one.rerank(THREE)
    assert raised.value.code == "UNAVAILABLE"

"""TLS and mutual TLS by --ssl_config_file, with certificates made for the test."""

import datetime
import ipaddress

import grpc
import pytest
from embedded import start
from serving_lists import FEATURES

from serving import probe
from serving.config_messages import SSLConfig, read_text_message
from serving.option_error import OptionError
from serving.settings_files import write_config
from serving.tls import client_credentials, server_credentials

x509 = pytest.importorskip("cryptography.x509")
NO_PEM = 'server_key: "-----BEGIN K" server_cert: "-----BEGIN C"'
NOW = datetime.datetime.now(datetime.UTC)


def certificate(folder, name, issuer=None):
    """Writes NAME.key and NAME.pem, signed by the issuer or by itself."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer_name, issuer_key = issuer or (subject, key)
    local = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(hours=1))
        .not_valid_after(NOW + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(local), critical=False)
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / f"{name}.pem").write_bytes(made.public_bytes(pem))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return subject, key


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """A folder: an authority, a server and a client signed by it, and a stranger."""
    folder = tmp_path_factory.mktemp("pem")
    authority = certificate(folder, "ca")
    certificate(folder, "server", authority)
    certificate(folder, "client", authority)
    certificate(folder, "stranger")
    return folder


def settings(pem, tmp_path, more=""):
    path = tmp_path / "settings.toml"
    path.write_text(
        f'[tls]\nkey_file = "{pem}/server.key"\ncert_file = "{pem}/server.pem"\n{more}'
    )
    write_config(path, tmp_path / "config")
    return tmp_path / "config" / "ssl.config"


def is_ready(target, pem, *own):
    files = [pem / "ca.pem", *(pem / name for name in own)]
    credentials = client_credentials(*files)
    return probe.probe(target, FEATURES, timeout=5, credentials=credentials).is_ready


def test_tls_is_served_to_those_who_trust_it(base, pem, tmp_path, capsys):
    server, target = start(base, ssl_config_file=settings(pem, tmp_path))
    assert is_ready(target, pem)
    assert probe.main([f"--target={target}", f"--ca_file={pem}/ca.pem"]) == 0
    assert capsys.readouterr().out == "ready: version 1 of psad\n"
    assert probe.main([f"--target={target}", "--timeout=1"]) == 1  # in the clear
    stranger = client_credentials(pem / "stranger.pem")
    readiness = probe.probe(target, FEATURES, timeout=1, credentials=stranger)
    server.stop()
    assert not readiness.is_ready and "UNAVAILABLE" in readiness.reason


def test_mutual_tls_asks_for_a_certificate_of_the_authority(base, pem, tmp_path):
    more = f'client_ca_file = "{pem}/ca.pem"\n'
    server, target = start(base, ssl_config_file=settings(pem, tmp_path, more))
    assert is_ready(target, pem, "client.key", "client.pem")
    assert not is_ready(target, pem, "stranger.key", "stranger.pem")
    assert not is_ready(target, pem)
    server.stop()


def test_a_client_names_its_key_with_its_certificate(pem, capsys):
    assert client_credentials(None) is None
    assert isinstance(client_credentials(pem / "ca.pem"), grpc.ChannelCredentials)
    with pytest.raises(OptionError, match="the client's key and its certificate"):
        client_credentials(pem / "ca.pem", pem / "client.key")
    assert probe.main([f"--ca_file={pem}/none"]) == 3
    assert f"cannot read {pem}/none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("server_key {", "no text SSLConfig"),
        ('server_key: "k" server_cert: "c"', "server_key holds no PEM text"),
        (
            f"{NO_PEM} client_verify: true",
            "client_verify needs custom_ca",
        ),
    ],
)
def test_a_file_that_is_no_use_is_told(text, told, tmp_path):
    path = tmp_path / "ssl.config"
    path.write_text(text)
    with pytest.raises(OptionError, match=told):
        server_credentials(path)


def test_pem_texts_that_are_none_are_told_at_the_start(base, tmp_path):
    path = tmp_path / "ssl.config"
    path.write_text(NO_PEM)
    assert read_text_message(path, SSLConfig).server_key
    with pytest.raises(OptionError, match="check the PEM texts"):
        start(base, ssl_config_file=path)

"""TLS for gRPC, from the text `SSLConfig` that TensorFlow Serving reads.

The file holds the PEM texts themselves. It is read once: a new certificate needs a new
start, as it does with the real server.
"""

from pathlib import Path

import grpc

from serving.config_messages import SSLConfig, read_text_message
from serving.option_error import OptionError


def server_credentials(path: Path) -> grpc.ServerCredentials:
    """The credentials of a server; mutual TLS with `client_verify`.

    Raises:
        OptionError: The file is no SSLConfig, or lacks what its settings need.
    """
    config = read_text_message(path, SSLConfig)
    for field in ("server_key", "server_cert"):
        if not getattr(config, field).lstrip().startswith("-----BEGIN "):
            raise OptionError(f"{path}: {field} holds no PEM text; paste the file's")
    if config.client_verify and not config.custom_ca:
        raise OptionError(
            f"{path}: client_verify needs custom_ca, the certificate of the authority "
            "that signs the clients' certificates"
        )
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode() or None,
        require_client_auth=config.client_verify,
    )


def client_credentials(
    ca_file: Path | None, key_file: Path | None = None, cert_file: Path | None = None
) -> grpc.ChannelCredentials | None:
    """The credentials of a client; None, for no encryption, when no file is given.

    Args:
        ca_file: Certificate of the authority that signed the server's.
        key_file: The client's own key, for mutual TLS.
        cert_file: The client's own certificate, for mutual TLS.

    Raises:
        OptionError: A file cannot be read, or the key comes without its certificate.
    """
    if (key_file is None) != (cert_file is None):
        raise OptionError("give the client's key and its certificate, or neither")
    if ca_file is None and key_file is None:
        return None
    try:
        texts = [f and f.read_bytes() for f in (ca_file, key_file, cert_file)]
    except OSError as error:
        raise OptionError(f"cannot read {error.filename}: {error.strerror}") from error
    return grpc.ssl_channel_credentials(*texts)

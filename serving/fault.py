"""A failure with the gRPC code and message that TensorFlow Serving would give."""

import grpc

_LONGEST_MESSAGE = 1024
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


class Fault(Exception):
    """What a client is told instead of an answer.

    Args:
        code: The gRPC code.
        message: The message; cut where TensorFlow Serving cuts it.
    """

    def __init__(self, code: grpc.StatusCode, message: str):
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[:_LONGEST_MESSAGE]}...TRUNCATED"
        super().__init__(message)
        self.code = code
        self.message = message

    @classmethod
    def from_tensorflow(cls, error) -> "Fault":
        """Of a `tf.errors.OpError`, whose codes are numbered as gRPC's are."""
        return cls(_BY_NUMBER[error.error_code], error.message)


def invalid(message: str) -> Fault:
    """The client's request cannot be understood."""
    return Fault(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> Fault:
    """The client asks for something the server does not have."""
    return Fault(grpc.StatusCode.NOT_FOUND, message)

"""What a client is told when a list could not be reranked."""

import grpc

BAD_ANSWER, CIRCUIT_OPEN = "BAD_ANSWER", "CIRCUIT_OPEN"
_REMEDIES = {
    "UNAVAILABLE": "start the server, or correct the target",
    "DEADLINE_EXCEEDED": "raise the timeout, send smaller batches or add replicas",
    "RESOURCE_EXHAUSTED": "add replicas, or raise the server's --grpc_max_threads",
    "NOT_FOUND": "correct the model's name or version, or publish that version",
    "FAILED_PRECONDITION": "use a signature the model has: serving_default or rank",
    "INVALID_ARGUMENT": "give the client the feature set the model was trained with, "
    "and no version label but those that the server has",
    "UNIMPLEMENTED": "point the target at the gRPC port, not at the REST port",
    BAD_ANSWER: "roll the model back: what it answers is not a ranking",
    CIRCUIT_OPEN: "see why the calls before it failed; it is tried again by itself",
}


class RerankError(RuntimeError):
    """A list could not be reranked.

    Args:
        code: A gRPC code's name; `BAD_ANSWER` when the answer is no ranking;
            `CIRCUIT_OPEN` when the server was not asked, after many failures in a row.
        message: What went wrong.
        remedy: What to do about it; by default the usual one of the code.
    """

    def __init__(self, code: str, message: str, remedy: str = ""):
        self.code = code
        self.message = message
        self.remedy = remedy or _REMEDIES.get(code, "see the server's log")
        super().__init__(f"{code}: {message}; {self.remedy}")

    @classmethod
    def from_rpc(cls, error: grpc.RpcError, target: str) -> "RerankError":
        """The error a failed call to `target` stands for."""
        return cls(error.code().name, f"{target}: {error.details()}")

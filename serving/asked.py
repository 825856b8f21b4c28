"""What a client asks a server for: a model, one of its signatures and versions."""

from collections.abc import Sequence
from dataclasses import dataclass

from psad_tf.data.ranking_list import RankingList
from psad_tf.features import FeatureSet
from serving.errors import BAD_ANSWER, RerankError
from serving.messages import PredictRequest
from serving.predict_request import predict_request


@dataclass(frozen=True)
class Asked:
    """What a client asks for; see `serving.client.RerankClient`.

    Raises:
        ValueError: No version has this number or label.
    """

    feature_set: FeatureSet
    model_name: str
    signature: str
    version: int | str | None

    def __post_init__(self):
        version = self.version
        is_number = isinstance(version, int) and not isinstance(version, bool)
        is_label = isinstance(version, str) and version
        if version is not None and not is_label and not (is_number and version >= 0):
            raise ValueError(
                f"version={version!r}; give a version's number, its label, or None for "
                "the newest"
            )

    def request(self, lists: Sequence[RankingList]) -> PredictRequest:
        """A request about these lists."""
        names = self.model_name, self.signature, self.version
        return predict_request(lists, self.feature_set, *names)

    def check(self, answered: int | None) -> None:
        """
        Raises:
            RerankError: A number was asked for, and another version answered. A label's
                number is known to the server alone.
        """
        if isinstance(self.version, int) and answered != self.version:
            raise RerankError(
                BAD_ANSWER,
                f"version {answered} answered in place of version {self.version}",
                "see what stands between client and server; a model server answers "
                "with the version that it is asked for",
            )

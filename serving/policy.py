"""Which of a model's versions are served: the newest few, all, or those named."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class VersionPolicy:
    """Which versions are served.

    Args:
        newest: How many of the newest versions; None for all of them.
        numbers: Only these versions; empty for any.
    """

    newest: int | None = 1
    numbers: frozenset[int] = frozenset()

    @classmethod
    def from_message(cls, policy) -> "VersionPolicy":
        """Of a `ServableVersionPolicy`; an empty one is the newest version."""
        choice = policy.WhichOneof("policy_choice")
        if choice == "all":
            return cls(newest=None)
        if choice == "specific":
            return cls(newest=None, numbers=frozenset(policy.specific.versions))
        return cls(newest=max(1, policy.latest.num_versions))

    def eligible(self, found: Iterable[int]) -> list[int]:
        """Of the versions on disk those that may be served, newest first."""
        return sorted(
            (n for n in found if not self.numbers or n in self.numbers), reverse=True
        )

    def choose(self, found: Iterable[int], loads: Callable[[int], bool]) -> set[int]:
        """Of the versions on disk those to serve.

        A version that does not load gives its place to the next older one.

        Args:
            found: The versions on disk.
            loads: Whether a version is, or now got, loaded.
        """
        chosen = set()
        for number in self.eligible(found):
            if len(chosen) == self.newest:
                break
            if loads(number):
                chosen.add(number)
        return chosen

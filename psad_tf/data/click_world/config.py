"""What a click world is made of: every number that its users and items follow."""

from dataclasses import dataclass, replace

from psad_tf.errors import ConfigError

DAY = 86_400
BEGIN = 1_704_067_200  # 2024-01-01, where the world's time starts


@dataclass(frozen=True)
class WorldConfig:
    """One world; equal configurations give equal worlds.

    Args:
        seed: Of every draw.
        users: How many there are.
        items: How many there are.
        list_length: Candidates of each list.
        history_length: The most past clicks a list knows of.
        lists_per_user: The mean, before the cuts in time.
        days: How long the world runs.
        burn_in_days: The first days, which fill histories and give no lists.
        train_share: Of the time after the burn-in; test is what the next one leaves.
        validation_share: Of the time after the burn-in.
        new_users: Share of users who come at a moment of their own, not at the start.
        new_items: Share of items that appear at a moment of their own.
        explored: Share of lists shown in an order drawn at random, as a production
            system logs them to tell place from relevance.
        dim: Of interests and item vectors.
        vector_length: Of item vectors in the click model. 2 is the longest for which
            likeness, 0.5 + 0.5 <f, g> / (|f| + |g|), covers 0 to 1 and stays in it.
        eta: How fast examination falls with the place.
        base: The relevance logit of an item without any appeal.
        interest_weight: Of the likeness of item and current interest in the logit.
        price_weight: Of the squared distance of an item's price from the taste.
        quality_weight: Of the item's quality.
        score_popularity: How much the first stage trusts popularity.
        score_user_error: Length of its error about a user's long-term interest.
        score_item_error: Deviation of its error about an item, the same in all lists.
        score_noise: Deviation of its error about one candidate of one list.
    """

    seed: int = 0
    users: int = 12_000
    items: int = 1_000
    list_length: int = 20
    history_length: int = 50
    lists_per_user: float = 17.0
    days: int = 60
    burn_in_days: int = 30
    train_share: float = 0.67
    validation_share: float = 0.11
    new_users: float = 0.2
    new_items: float = 0.1
    explored: float = 0.1
    dim: int = 8
    vector_length: float = 2.0
    eta: float = 0.2
    base: float = -4.0
    interest_weight: float = 10.0
    price_weight: float = 0.9
    quality_weight: float = 1.8
    score_popularity: float = 0.3
    score_user_error: float = 0.5
    score_item_error: float = 2.0
    score_noise: float = 2.0

    def __post_init__(self):
        for name in ("users", "items", "list_length", "history_length", "dim"):
            self._check(name, getattr(self, name) >= 1, "give 1 or more")
        self._check("items", self.items >= 2 * self.list_length, "give more items")
        for name in ("new_users", "new_items", "explored"):
            self._check(name, 0 <= getattr(self, name) <= 1, "give a share, 0 to 1")
        self._check("new_items", self.new_items <= 0.5, "give a share up to 0.5")
        is_short = 0 < self.burn_in_days < self.days
        self._check("burn_in_days", is_short, f"give 1 to {self.days - 1} (days - 1)")
        self._check("vector_length", 0 <= self.vector_length <= 2, "give 0 to 2")
        shares = self.train_share, self.validation_share
        self._check("train_share", min(shares) > 0 and sum(shares) < 1, "leave a test")
        self._check("eta", self.eta >= 0, "give 0 or more")

    def _check(self, name: str, is_good: bool, remedy: str) -> None:
        if not is_good:
            value = getattr(self, name)
            raise ConfigError(f"click world: {name}={value!r}; {remedy}")

    @property
    def cuts(self) -> tuple[int, int, int]:
        """When the burn-in, train and validation periods end, seconds of the epoch."""
        burn_in, rest = self.burn_in_days, self.days - self.burn_in_days
        until_test = self.train_share + self.validation_share
        ends = burn_in, burn_in + rest * self.train_share, burn_in + rest * until_test
        return tuple(BEGIN + round(day * DAY) for day in ends)

    @property
    def end(self) -> int:
        """When the world ends, seconds of the epoch."""
        return BEGIN + self.days * DAY


SIZES = {
    "fixture": WorldConfig(users=120, items=200, lists_per_user=12.0),
    "study": WorldConfig(),
    "large": WorldConfig(users=400_000, items=50_000),
}


def world_config(size: str, seed: int = 0, **changes) -> WorldConfig:
    """The configuration of a named size.

    Raises:
        ConfigError: There is no such size.
    """
    if size not in SIZES:
        raise ConfigError(f"size={size!r} is unknown; known: {', '.join(SIZES)}")
    return replace(SIZES[size], seed=seed, **changes)

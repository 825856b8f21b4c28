"""What of a list's encoding belongs to the user alone."""

from typing import Any, NamedTuple


class UserSide(NamedTuple):
    """What the encoder makes of a user and their history.

    Args:
        user: float `[batch, user_dim]`, the profile.
        profile: What the gate makes of it, float `[batch, ...]`; None without a gate.
        past: float `[batch, history, dim]`, the past items, newest last.
        past_is_valid: bool `[batch, history]`.
        position: Of each layer, float `[batch, values]`, the position bias; None where
            it is still to be made.
    """

    user: Any
    profile: Any
    past: Any
    past_is_valid: Any
    position: list | None

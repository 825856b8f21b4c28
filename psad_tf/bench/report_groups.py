"""The groups of lists that have tables of their own."""

import numpy as np

from psad_tf.bench.report_results import Result
from psad_tf.errors import InputError

ALL, ACTIVE, OTHERS = "all lists", "most active fifth of users", "other users"
ACTIVE_SHARE = 0.2


def groups_of(result: Result) -> dict[str, np.ndarray]:
    """Each group's bool `[lists]`: all, and in the interaction bench by activity.

    Raises:
        InputError: As for `active_lists`.
    """
    groups = {ALL: np.ones(result.list_count, bool)}
    if result.bench == "interaction":
        active = active_lists(result)
        groups |= {ACTIVE: active, OTHERS: ~active}
    return {name: chosen for name, chosen in groups.items() if chosen.any()}


def active_lists(result: Result) -> np.ndarray:
    """The lists of the most active fifth of users: bool `[lists]`.

    A user is as active as the longest history of their lists. Users level with the
    last one of the fifth belong to it, so that it may be larger.

    Raises:
        InputError: The result does not say whose the lists are.
    """
    if lacking := [name for name in ("user", "activity") if name not in result.lists]:
        raise InputError(
            f"{result.name}: `lists` lacks {', '.join(lacking)}, without which the "
            "interaction bench can't tell active users from others"
        )
    _, user = np.unique(result.lists["user"], return_inverse=True)
    activity = np.full(user.max() + 1, -np.inf)
    np.maximum.at(activity, user, result.lists["activity"])
    count = max(1, round(ACTIVE_SHARE * len(activity)))
    return (activity >= np.sort(activity)[-count])[user]

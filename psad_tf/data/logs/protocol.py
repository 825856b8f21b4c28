"""The rules by which a log becomes lists; see docs/raw_logs.md for their sources."""

from dataclasses import dataclass

from psad_tf.data.windows import MIN_CANDIDATES, WINDOW_SECONDS


@dataclass(frozen=True)
class Protocol:
    """One set of rules.

    Args:
        list_length: The most candidates of a list, in the initial order.
        history_length: The most past items of a list; the latest are kept.
        shares: Of first stage, train and validation; the rest is for test.
        by_time: Whether splits follow each other in time, or users are drawn.
        window_seconds: What a user saw within so many seconds belongs together; 0
            where the log names the request that a row belongs to.
        window_length: A window's rows beyond so many, from its oldest on, are left
            out; 0 makes chunks of `list_length` of it.
        one_list: Whether only a user's newest window with a click becomes a list.
        min_item_rows: Items with fewer rows are left out.
        min_user_rows: Users with fewer of the remaining rows are left out,
        needs_click: and so are users without a click among them.
        min_candidates: Lists of fewer rows are left out,
        both_labels: and so are lists all of whose rows are clicked, or none.
    """

    list_length: int
    history_length: int
    shares: tuple[float, float, float]
    by_time: bool
    window_seconds: int = WINDOW_SECONDS
    window_length: int = 0
    one_list: bool = False
    min_item_rows: int = 4
    min_user_rows: int = 4
    needs_click: bool = True
    min_candidates: int = MIN_CANDIDATES
    both_labels: bool = True


PAPER, LIBRERANK = "paper", "librerank"

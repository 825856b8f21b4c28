"""The names of the model's input tensors, as the Transform step makes them.

With batch B, list length M, history length N, C columns of item ids and D numbers:

| name | dtype | shape |
|---|---|---|
| user_ids | int64 | [B, user columns] |
| candidate_ids | int64 | [B, M, C] |
| candidate_dense | float32 | [B, M, D of candidates] |
| candidate_is_valid | int64 on disk, bool in the model | [B, M] |
| history_ids | int64 | [B, N, C] |
| history_dense | float32 | [B, N, D of past items] |
| history_is_valid | int64 on disk, bool in the model | [B, N] |
| label | float32 | [B, M] |
"""

USER_IDS = "user_ids"
CANDIDATE_IDS = "candidate_ids"
CANDIDATE_DENSE = "candidate_dense"
CANDIDATE_IS_VALID = "candidate_is_valid"
HISTORY_IDS = "history_ids"
HISTORY_DENSE = "history_dense"
HISTORY_IS_VALID = "history_is_valid"
LABEL = "label"

INPUTS = (
    USER_IDS,
    CANDIDATE_IDS,
    CANDIDATE_DENSE,
    CANDIDATE_IS_VALID,
    HISTORY_IDS,
    HISTORY_DENSE,
    HISTORY_IS_VALID,
)

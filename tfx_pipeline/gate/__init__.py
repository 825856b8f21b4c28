"""The gate: whether a model may be pushed, decided on intervals and explained."""

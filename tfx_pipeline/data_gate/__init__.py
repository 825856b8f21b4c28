"""What data must show before a model is trained on it."""

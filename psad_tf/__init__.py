"""PSAD: personalised semi-autoregressive reranking with online distillation."""

__version__ = "0.1.0"

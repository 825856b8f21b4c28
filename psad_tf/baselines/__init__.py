"""Rerankers to compare with."""

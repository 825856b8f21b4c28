"""Serving: the model server, its settings, and the client."""

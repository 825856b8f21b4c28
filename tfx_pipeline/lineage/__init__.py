"""From a pushed version back to the data, code, settings and gate that made it."""

"""After the push: a new version for a few clients first, then for all, or for none."""

"""Raw logs of any size to lists; see docs/raw_logs.md for the road a row takes."""

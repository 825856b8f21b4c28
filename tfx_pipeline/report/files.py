"""The names of a report's files."""

LATEST = "report/latest"  # under the pipeline's root
PAGE, METRICS, LISTS = "index.html", "metrics.json", "lists.txt"
REQUEST = "request.json"  # one test list as `psad rerank` takes it

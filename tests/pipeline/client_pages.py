"""Metrics pages of clients, as their application gives them out."""

from serving.client_metrics import ClientMetrics


def page(file, ok, failed, fast, slow):
    """A client's metrics page after so many requests."""
    metrics = ClientMetrics()
    metrics.count("requests", ok, code="OK")
    metrics.count("requests", failed, code="UNAVAILABLE")
    for seconds, times in ((0.01, fast), (0.1, 0), (0.3, slow)):
        for _ in range(times):
            metrics.observe(seconds)
    file.write_text(metrics.text())
    return str(file)

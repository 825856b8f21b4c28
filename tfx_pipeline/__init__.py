"""Kubeflow, Airflow or local: the pipeline itself is the same list of components."""

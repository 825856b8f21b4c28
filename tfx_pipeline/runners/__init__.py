"""The other places where the pipeline runs: Airflow, Kubeflow Pipelines, Vertex AI."""

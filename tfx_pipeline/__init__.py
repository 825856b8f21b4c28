"""Kubeflow, Airflow or local: the pipeline itself is the same list of components."""

import os

from psad_tf.quick_start import quick_start

quick_start()

# Beam parses its options anew for each step of each graph, ten thousand times in a run,
# and each time its parser looks for translations on disk.
os.environ.setdefault("LANGUAGE", "C")

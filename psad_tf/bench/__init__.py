"""Studies, ablations and comparisons: many trainings under one protocol, on JAX.

Run them through `psad bench`; `psad_tf.bench.trial` is the shared core.
"""

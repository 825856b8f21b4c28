"""Processes that begin as forks of one that has imported what they need, once."""

from multiprocessing import get_context

FORKS = get_context("forkserver")
# Names that are found from any folder: one that is not would be passed over in silence.
# There is one such process for all that fork, so it needs what any of them needs. The
# first for how it collects garbage.
FORKS.set_forkserver_preload(
    [
        "tfx_pipeline",
        "tfx_pipeline.local_runner",
        "tfx_pipeline.trainer",
        "tfx_pipeline.report.write",
        "psad_tf.training_distribution",
    ]
)

"""Shows how far a run is, on any runner: by the files that its tasks have left."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from apache_beam.io.filesystems import FileSystems
from tqdm import tqdm

from psad_tf.data.logs.answers import ITEM_ANSWERS
from psad_tf.data.logs.initial_ranker import SAMPLE
from psad_tf.data.logs.order import SORTED
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.tasks import STARTS

_SECONDS = 2.0


def stage_files(plan: Plan) -> dict[str, tuple[str, int]]:
    """Stage → how its tasks' files begin, and how many there will be."""
    stages = {
        role: (f"{role}-", len(plan.numbers(role))) for role in plan.reader.tables
    }
    if plan.reader.requests:
        stages["join"] = ("joined-", plan.buckets)
    stages["order"] = (f"{SORTED}-", plan.buckets)
    stages["answer"] = (f"{ITEM_ANSWERS}-", plan.item_buckets)
    stages["starts"] = (f"{STARTS}-", plan.buckets)
    if plan.reader.initial_ranker:
        stages["sample"] = (f"{SAMPLE}-", plan.buckets)
    stages["lists"] = ("lists-test-", plan.buckets)
    return stages


@contextmanager
def showing(plan: Plan) -> Iterator[None]:
    """A bar of all tasks, with the stage that is at work."""
    stages = stage_files(plan)
    name = plan.reader.features.name
    total = sum(count for _, count in stages.values())
    done = threading.Event()
    with tqdm(total=total, desc=f"building {name}", unit="task") as bar:

        def look() -> None:
            (match,) = FileSystems.match([FileSystems.join(plan.folder, "*")])
            names = [entry.path.rsplit("/", 1)[1] for entry in match.metadata_list]
            left = {
                stage: min(sum(n.startswith(begin) for n in names), count)
                for stage, (begin, count) in stages.items()
            }
            at_work = [s for s, (_, count) in stages.items() if left[s] < count]
            bar.set_postfix_str(at_work[0] if at_work else "done", refresh=False)
            bar.update(sum(left.values()) - bar.n)

        def watch() -> None:
            while not done.wait(_SECONDS):
                look()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
            look()
        finally:
            done.set()
            watcher.join()

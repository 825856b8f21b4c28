"""The stages of a run as a Beam pipeline.

Beam hands out numbers of ranges and buckets and adds up counts; rows go from stage to
stage in files. A stage begins when the one before has ended, since it reads the files
of all of its tasks: that is what the side inputs are for.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from psad_tf.data.errors import DataError
from psad_tf.data.logs import tasks
from psad_tf.data.logs.answers import answer_items
from psad_tf.data.logs.joins import join_requests
from psad_tf.data.logs.order import order_bucket
from psad_tf.data.logs.parse import parse_range
from psad_tf.data.logs.plan import Plan
from psad_tf.data.logs.shuffle import write_whole
from psad_tf.errors import InputError

FAILED, FAILURE = "failed", "failure.txt"


class BuildFromLogs(beam.PTransform):
    """Runs the tasks of a plan; gives one `Counter` of all that they counted.

    Args:
        plan: The run's.
    """

    def __init__(self, plan: Plan):
        super().__init__()
        self._plan = plan

    def expand(self, pipeline):
        plan = self._plan
        buckets = range(plan.buckets)
        stages = [_Stage(pipeline, plan, "Parse", parse_range, range(len(plan.ranges)))]

        def then(
            name: str, task: Callable, numbers: Iterable[int], *planned
        ) -> "_Stage":
            stages.append(
                _Stage(pipeline, plan, name, task, numbers, stages[-1], *planned)
            )
            return stages[-1]

        then("Check", check_bad, [0], stages[0])
        if plan.reader.requests:
            then("JoinRequests", join_requests, buckets)
        then("Order", order_bucket, buckets)
        then("AnswerItems", answer_items, range(plan.item_buckets))
        then("Starts", tasks.leave_starts, buckets)
        cuts = then("Cuts", tasks.find_cuts, [0])
        if plan.reader.initial_ranker:
            then("Sample", tasks.leave_sample, buckets, cuts)
            then("Train", tasks.train, [0])
        then("MakeLists", tasks.make_lists, buckets, cuts)
        counted = tuple(stage.counts for stage in stages)
        return counted | beam.Flatten() | "AddUp" >> beam.CombineGlobally(total)


class _Stage:
    """One stage's counts, once all of its tasks are done."""

    def __init__(self, pipeline, plan, name, task, numbers, after=None, planned=None):
        sides = [beam.pvalue.AsSingleton(s.counts) for s in (planned, after) if s]
        self.counts = (
            pipeline
            | f"{name}Numbers" >> beam.Create(list(numbers))
            | f"{name}Share" >> beam.Reshuffle()
            | name >> beam.Map(_Task(plan, task, planned is not None), *sides)
            | f"{name}Done" >> beam.CombineGlobally(total)
        )


class _Task:
    """Does one task, unless the input was found wrong: that is told, and ends the run.

    An exception would be tried again on a cluster, and end in a runner's traceback.
    """

    def __init__(self, plan: Plan, task: Callable, takes_planned: bool):
        self._plan, self._task, self._takes_planned = plan, task, takes_planned

    def __call__(self, number: int, *sides):  # Beam misreads Counter as a type hint
        if any(FAILED in counts for counts in sides):
            return Counter({FAILED: 1})
        arguments = sides[:1] if self._takes_planned else ()
        begin = time.thread_time()  # another's work on this machine plays no part
        try:
            counts = Counter(self._task(self._plan, number, *arguments))
        except InputError as error:
            path = FileSystems.join(self._plan.folder, FAILURE)
            message = str(error).encode()
            write_whole(path, lambda file: file.write(message))
            return Counter({FAILED: 1})
        took = time.thread_time() - begin
        counts[f"microseconds/{self._task.__name__}"] += round(took * 1e6)
        return counts


def total(counts):
    """The sum of counts."""
    found: Counter = Counter()
    for one in counts:
        found.update(one)
    return found


def check_bad(plan: Plan, number: int, counts: Mapping[str, int]) -> Counter:
    """
    Raises:
        DataError: More than the accepted share of a file's lines is malformed.
    """
    for file in sorted({one.file.name for one in plan.ranges}):
        lines = counts.get(f"lines/{file}", 0)
        prefix = f"bad/{file}/"
        reasons = {
            name.removeprefix(prefix): n
            for name, n in sorted(counts.items())
            if name.startswith(prefix)
        }
        bad = sum(reasons.values())
        if bad > plan.max_bad_share * lines:
            raise DataError(
                f"{file}: {bad} of {lines} lines are unusable ({reasons}), more than "
                f"max_bad_share={plan.max_bad_share}. Repair the file, or raise the "
                "accepted share"
            )
    return Counter()

"""`psad loadtest`: latency against load."""

import shlex
from pathlib import Path

from psad_tf.cli_options import add_dataset, check_dataset, positive

_BARE_SECONDS = 3.0


def add_loadtest(commands) -> None:
    """Adds the command."""
    test = commands.add_parser(
        "loadtest",
        help="latency against load, of any server",
        description="Finds what a server can do at most, then sends requests at "
        "random times at shares of that. Writes a page, JSON and plots.",
    )
    test.add_argument("--target", required=True, help="HOST:PORT of the server's gRPC")
    test.add_argument("--out", type=Path, required=True, help="folder of the report")
    test.add_argument("--model-name", default="psad", help="at the server")
    test.add_argument(
        "--model",
        type=Path,
        help="version's folder; its graph is measured first, without a server",
    )
    add_dataset(test)
    test.add_argument("--signature", default="rank", help="rank or serving_default")
    test.add_argument("--lists", type=positive, default=1, help="in a request")
    test.add_argument("--candidates", type=positive, help="of a list (default: most)")
    test.add_argument("--history", type=positive, help="past items (default: most)")
    test.add_argument(
        "--requests", type=Path, help="file with one request a line, as psad rerank's"
    )
    test.add_argument("--seconds", type=float, default=10.0, help="of each load")
    test.add_argument("--timeout", type=float, default=5.0, help="seconds of a call")
    test.add_argument("--connections", type=positive, default=1, help="to the server")
    test.add_argument("--seed", type=int, default=0, help="of lists and times")
    test.set_defaults(run=_run)


def _run(parsed) -> int:
    features = check_dataset(parsed)
    from psad_tf.bench.report_run import Run
    from serving import bare_graph, load_report, loadtest

    test = loadtest.LoadTest(
        target=parsed.target,
        features=features,
        model_name=parsed.model_name,
        signature=parsed.signature,
        size=parsed.lists,
        candidates=parsed.candidates or features.list_length,
        history=parsed.history or features.history_length,
        requests=parsed.requests,
        seconds=parsed.seconds,
        timeout=parsed.timeout,
        connections=parsed.connections,
        seed=parsed.seed,
    )
    found = {name: getattr(test, name) for name in ("size", "candidates", "history")}
    found |= {"signature": test.signature}
    if parsed.model is not None:
        requests = {size: test.messages(size) for size in bare_graph.BATCHES}
        found["bare"] = bare_graph.measure_apart(parsed.model, requests, _BARE_SECONDS)
    found |= loadtest.run(test)
    run = Run(_command(parsed), f"server at {parsed.target}")
    load_report.write_loadtest(found, run, parsed.out)
    for check in load_report.checks(found):
        met = "yes" if check["is_met"] else "NO"
        print(f"{check['what']}: {check['value']:.3g} (limit {check['limit']:g}) {met}")
    print(f"report: {parsed.out / 'index.html'}")
    return 0


_OPTIONS = (
    "target",
    "dataset",
    "model_name",
    "model",
    "signature",
    "lists",
    "candidates",
    "history",
    "requests",
    "seconds",
    "timeout",
    "connections",
    "seed",
)


def _command(parsed) -> str:
    """The command that asks the same again."""
    words = ["psad", "loadtest"]
    for name in _OPTIONS:
        if (value := getattr(parsed, name)) is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)

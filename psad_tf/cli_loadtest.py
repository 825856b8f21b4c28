"""`psad loadtest`: latency against load, and with `--soak` over time."""

import argparse
import re
import shlex
from pathlib import Path

from psad_tf.cli_options import add_dataset, check_dataset, positive

_BARE_SECONDS = 3.0
_UNITS = {"s": 1, "m": 60, "h": 3600}


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
    _add_soak(test)
    test.set_defaults(run=lambda parsed: _run(parsed, test.error))


def _add_soak(test) -> None:
    soak = test.add_argument_group("a steady load instead, for long")
    soak.add_argument("--soak", type=_duration, help="how long, such as 90s, 10m or 1h")
    soak.add_argument(
        "--rate", type=float, help="requests a second (default: half of the capacity)"
    )
    soak.add_argument(
        "--pid", type=positive, help="the server's process, to follow its memory"
    )
    soak.add_argument(
        "--republish",
        type=Path,
        help="the server's folder of versions: the newest is published anew under the "
        "next number again and again, so that the server reloads",
    )
    soak.add_argument(
        "--republish-every", type=_duration, default="1m", help="(default: 1m)"
    )


def _duration(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if found is None or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r}: give a time such as 90s or 1h")
    return float(found[1]) * _UNITS[found[2]]


def _run(parsed, refuse) -> int:
    features = check_dataset(parsed)
    is_soak = parsed.soak is not None
    for name in ("model",) if is_soak else ("rate", "pid", "republish"):
        if getattr(parsed, name) is not None:
            refuse(f"--{name} goes {'without' if is_soak else 'with'} --soak")
    from psad_tf.bench.report_run import Run
    from serving.loadtest import LoadTest

    test = LoadTest(
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
    asked = ("size", "candidates", "history", "signature")
    found = {name: getattr(test, name) for name in asked}
    run = Run(_command(parsed), f"server at {parsed.target}")
    made = (_soak if is_soak else _test)(parsed, test, found, run)
    for check in made:
        met = "yes" if check["is_met"] else "NO"
        print(f"{check['what']}: {check['value']:.3g} (limit {check['limit']:g}) {met}")
    print(f"report: {parsed.out / 'index.html'}")
    return 0


def _test(parsed, test, found, run) -> list[dict]:
    from serving import bare_graph, load_report, loadtest

    if parsed.model is not None:
        requests = {size: test.messages(size) for size in bare_graph.BATCHES}
        found["bare"] = bare_graph.measure_apart(parsed.model, requests, _BARE_SECONDS)
    found |= loadtest.run(test)
    load_report.write_loadtest(found, run, parsed.out)
    return load_report.checks(found)


def _soak(parsed, test, found, run) -> list[dict]:
    from serving import soak, soak_report

    found |= soak.run(
        soak.Soak(
            test,
            parsed.soak,
            rate=parsed.rate,
            pid=parsed.pid,
            republish=parsed.republish,
            republish_seconds=parsed.republish_every,
        )
    )
    soak_report.write_soak(found, run, parsed.out)
    return soak_report.checks(found)


def _command(parsed) -> str:
    """The command that asks the same again."""
    soak = ("soak", "rate", "pid", "republish", "republish_every")
    words = ["psad", "loadtest"]
    for name in (*_OPTIONS, *(soak if parsed.soak else ())):
        if (value := getattr(parsed, name)) is not None:
            value = f"{value:g}s" if name in ("soak", "republish_every") else value
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)


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

"""`psad models canary`, `promote`, `watch`: a new version for a few clients first."""

import time
from pathlib import Path

from psad_tf.cli_options import positive

UNDECIDED = 5  # the exit code of a watch that ended too early to tell
_EVERY = 60.0


def add_canary(action) -> None:
    """Adds the commands.

    Args:
        action: `(name, run, words)` to the command's parser, which has `--store`.
    """
    words = "serve a version beside the stable one, under the label canary"
    began = action("canary", _canary, words)
    began.add_argument("version", type=int)
    promoted = action("promote", _promote, "give all clients the canary")
    watched = action(
        "watch",
        _watch,
        "promote the canary, or take it away, by what clients counted; exit codes: 0 "
        f"promoted, 4 rolled back, {UNDECIDED} too early to tell",
    )
    for added in (began, promoted, watched):
        added.add_argument(
            "--target",
            type=Path,
            required=True,
            help="the model_config_file that servers follow",
        )
        added.add_argument("--model-name", default="psad", help="at the server")
    _add_measures(watched)


def _add_measures(watched) -> None:
    for role in ("stable", "canary"):
        watched.add_argument(
            f"--{role}-metrics",
            nargs="+",
            required=True,
            metavar="FILE|URL",
            help=f"metrics pages of the clients that ask for {role}",
        )
    watched.add_argument(
        "--clicks", type=Path, help="JSON: by label the lists, and those with a click"
    )
    watched.add_argument(
        "--slow-seconds", type=float, default=0.1, help="a bound of the histogram"
    )
    watched.add_argument("--looks", type=positive, default=1, help="at most so many")
    watched.add_argument(
        "--every", type=float, default=_EVERY, help="seconds between looks"
    )
    for name, help in (
        ("--max-error-increase", "of the share of failed requests"),
        ("--max-slow-increase", "of the share of slow requests"),
        ("--max-click-loss", "of the share of lists with a click"),
    ):
        watched.add_argument(name, type=float, help=help)
    watched.add_argument(
        "--dry-run", action="store_true", help="say what would be done"
    )


def _canary(parsed) -> int:
    from tfx_pipeline.canary.labels import start

    labels = start(parsed.target, parsed.store, parsed.version, parsed.model_name)
    for label, version in labels.items():
        print(f"{label}: version {version}")
    return 0


def _promote(parsed) -> int:
    from tfx_pipeline.canary.labels import promote

    version = promote(parsed.target, parsed.store, parsed.model_name)
    print(f"stable: version {version}")
    return 0


def _watch(parsed) -> int:
    from tfx_pipeline.canary import decision

    asked = ("max_error_increase", "max_slow_increase", "max_click_loss")
    given = {k: getattr(parsed, k) for k in asked if getattr(parsed, k) is not None}
    config = decision.CanaryConfig(looks=parsed.looks, **given)
    for look in range(config.looks):
        if look:
            time.sleep(parsed.every)
        findings = decision.compare(*_counts(parsed), config)
        verdict = decision.decide(findings)
        for finding in findings:
            print(finding.text)
        print(f"look {look + 1} of {config.looks}: {verdict}", flush=True)
        if verdict != decision.WAIT:
            return _act(parsed, verdict == decision.PROMOTE)
    return UNDECIDED


def _counts(parsed):
    from tfx_pipeline.canary.counts import read_clicks, read_counts

    clicks = read_clicks(parsed.clicks) if parsed.clicks else {}
    return (
        read_counts(parsed.stable_metrics, parsed.slow_seconds, clicks.get("stable")),
        read_counts(parsed.canary_metrics, parsed.slow_seconds, clicks.get("canary")),
    )


def _act(parsed, is_good: bool) -> int:
    from psad_tf.cli import REFUSED
    from tfx_pipeline.canary.labels import withdraw

    if parsed.dry_run:
        return 0 if is_good else REFUSED
    if is_good:
        return _promote(parsed)
    place = parsed.target, parsed.store, parsed.model_name
    version, is_out = withdraw(*place)
    print(f"version {version} was taken away from servers")
    if is_out:
        undo = f"psad models restore {version} --store {parsed.store}"
        print(f"and out of the store; to undo: {undo}")
    return REFUSED

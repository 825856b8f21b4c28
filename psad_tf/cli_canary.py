"""`psad models canary`, `release` and the like: a version for a few clients first."""

from pathlib import Path

from psad_tf.cli_options import positive

UNDECIDED = 5  # the exit code of a watch that ended too early to tell
_EVERY = 60.0
_CODES = f"exit codes: 0 promoted, 4 taken away, {UNDECIDED} too early to tell"


def add_canary(action) -> None:
    """Adds the commands.

    Args:
        action: `(name, run, words)` to the command's parser, which has `--store`.
    """
    began = action("canary", _run("start"), "serve a version beside the stable one")
    began.add_argument("version", type=int)
    words = "give all clients the canary, or any version"
    promoted = action("promote", _run("promote"), words)
    withdrawn = action("withdraw", _run("withdraw"), "take the canary away")
    words = "promote the canary, or take it away, by what its clients count"
    watched = action("watch", _run("watch"), f"{words}; {_CODES}")
    watched.add_argument(
        "--from-now",
        action="store_true",
        help="leave out what clients have counted so far",
    )
    watched.add_argument(
        "--dry-run", action="store_true", help="say what would be done"
    )
    words = "serve a version as the canary, watch it, then promote it or take it away"
    released = action("release", _run("release"), f"{words}; {_CODES}")
    released.set_defaults(dry_run=False)
    for added in (promoted, released):
        # What is released by default is the newest version of the store.
        added.add_argument("version", type=int, nargs="?")
    for added in (began, promoted, withdrawn, watched, released):
        _add_servers(added)
    for added in (watched, released):
        _add_measures(added)


def _add_servers(added) -> None:
    added.add_argument(
        "--server",
        nargs="+",
        default=(),
        metavar="HOST:PORT",
        help="gRPC of the servers to tell at once; all addresses of a name are told",
    )
    added.add_argument(
        "--target",
        type=Path,
        help="the model_config_file of the servers (default: STORE/models.config)",
    )
    added.add_argument("--model-name", default="psad", help="at the server")
    added.add_argument(
        "--base-path", type=Path, help="the store as servers see it (default: STORE)"
    )


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


def _run(name):
    def run(parsed) -> int:
        from tfx_pipeline.canary import command

        return getattr(command, name)(parsed)

    return run

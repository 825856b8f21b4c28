"""What `psad models canary`, `promote`, `withdraw`, `watch` and `release` do."""

import argparse
import time
from pathlib import Path

from psad_tf.cli import REFUSED
from psad_tf.cli_canary import UNDECIDED
from psad_tf.errors import InputError
from tfx_pipeline.canary import decision, labels
from tfx_pipeline.canary.counts import Meter
from tfx_pipeline.canary.servers import addresses, wait_until_open
from tfx_pipeline.model_store import versions


def start(parsed: argparse.Namespace) -> int:
    """Serves a version beside the stable one."""
    for label, version in labels.start(_site(parsed), parsed.version).items():
        print(f"{label}: version {version}")
    return 0


def promote(parsed: argparse.Namespace) -> int:
    """Gives all clients the canary, or the version that is named."""
    version = labels.promote(_site(parsed), parsed.version)
    print(f"{labels.STABLE}: version {version}")
    return 0


def withdraw(parsed: argparse.Namespace) -> int:
    """Takes the canary away."""
    version, is_out = labels.withdraw(_site(parsed))
    print(f"version {version} was taken away from servers")
    if is_out:
        undo = f"psad models restore {version} --store {parsed.store}"
        print(f"and out of the store; to undo: {undo}")
    return 0


def watch(parsed: argparse.Namespace) -> int:
    """Looks at the clients' counts until they decide, and does what they say."""
    return _watch(parsed, from_now=parsed.from_now)


def release(parsed: argparse.Namespace) -> int:
    """Everything a new version goes through, from the store to all clients.

    Begun again, it goes on: a canary that is one already is not started anew.
    """
    site = _site(parsed)
    known = versions(site.store)
    if not known:
        raise InputError(f"{site.store} has no version; push one first")
    version = known[-1] if parsed.version is None else parsed.version
    now = labels.read_labels(site.config)
    is_first = not now and known == [version]
    if is_first:
        wait_until_open(site.servers)
    if is_first or {version} == {*now.values()}:
        labels.promote(site, version)
        print(f"stable: version {version}; there is nothing to compare it with")
        return 0
    if now.get(labels.CANARY) != version:
        parsed.version = version
        start(parsed)
    return _watch(parsed, from_now=True)


def _watch(parsed, from_now: bool) -> int:
    asked = ("max_error_increase", "max_slow_increase", "max_click_loss")
    given = {k: getattr(parsed, k) for k in asked if getattr(parsed, k) is not None}
    config = decision.CanaryConfig(looks=parsed.looks, **given)
    settings = parsed.slow_seconds, parsed.clicks, from_now
    stable = Meter(labels.STABLE, parsed.stable_metrics, *settings)
    canary = Meter(labels.CANARY, parsed.canary_metrics, *settings)
    for look in range(config.looks):
        if look or from_now:
            time.sleep(parsed.every)
        verdict = _look(stable, canary, config)
        print(f"look {look + 1} of {config.looks}: {verdict}", flush=True)
        if verdict != decision.WAIT:
            return _act(parsed, verdict == decision.PROMOTE)
    print("too early to tell; watch on, or: psad models promote, psad models withdraw")
    return UNDECIDED


def _look(stable: Meter, canary: Meter, config: decision.CanaryConfig) -> str:
    try:
        findings = decision.compare(stable.read(), canary.read(), config)
    except InputError as error:  # a client that begins anew has no page for a moment
        print(error)
        return decision.WAIT
    for finding in findings:
        print(finding.text)
    return decision.decide(findings)


def _act(parsed, is_good: bool) -> int:
    code = 0 if is_good else REFUSED
    if not parsed.dry_run:
        parsed.version = None
        (promote if is_good else withdraw)(parsed)
    return code


def _site(parsed) -> labels.Site:
    servers = {one: None for name in parsed.server for one in addresses(name)}
    return labels.Site(
        store=parsed.store,
        config=parsed.target or Path(parsed.store, labels.CONFIG_FILE),
        name=parsed.model_name,
        servers=tuple(servers),
        base_path=parsed.base_path,
    )

"""What clients counted, from their metrics pages, added up."""

import json
import math
import re
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from psad_tf.errors import InputError

ROLES = ("stable", "canary")
_LINE = re.compile(r"^(\w+)(?:\{(.*)\})?\s+(\S+)$")
_REQUESTS = "psad_client_requests_total"
_BUCKET = "psad_client_request_seconds_bucket"
_SECONDS = 10  # to wait for a page


class Share(NamedTuple):
    """So many of so many."""

    part: int
    whole: int


class Counts(NamedTuple):
    """What some clients saw.

    Args:
        errors: Requests that did not end with OK, of all.
        slow: Requests that took longer than asked, of all.
        clicked: Lists with a click, of all; None where nobody counts clicks.
    """

    errors: Share
    slow: Share
    clicked: Share | None = None


def read_counts(
    places: Iterable[str], slow_seconds: float, clicked: Share | None = None
) -> Counts:
    """The counts of some clients.

    Args:
        places: Files or `http(s)://` addresses of metrics pages.
        slow_seconds: A bound of the clients' histogram; what is above it is slow.
        clicked: From `read_clicks`.

    Raises:
        InputError: A page is missing, or has no such metrics.
    """
    errors, requests, slow, timed = 0, 0, 0, 0
    for place in places:
        page = _parsed(_text(place))
        codes = {labels: n for (name, labels), n in page.items() if name == _REQUESTS}
        buckets = {
            float(_label(labels, "le").replace("+Inf", "inf")): n
            for (name, labels), n in page.items()
            if name == _BUCKET
        }
        if slow_seconds not in buckets or not math.isfinite(slow_seconds):
            known = sorted(b for b in buckets if math.isfinite(b))
            raise InputError(
                f"{place}: no bound {slow_seconds} s in {_BUCKET}; give one of {known}"
            )
        requests += sum(codes.values())
        errors += sum(n for k, n in codes.items() if _label(k, "code") != "OK")
        timed += buckets[math.inf]
        slow += buckets[math.inf] - buckets[slow_seconds]
    return Counts(Share(errors, requests), Share(slow, timed), clicked)


def read_clicks(file: Path) -> dict[str, Share]:
    """Lists with a click by label: `{"stable": {"lists": 9, "clicked": 4}, ...}`.

    Raises:
        InputError: The file is missing or says something else.
    """
    try:
        told = json.loads(file.read_text())
        found = {k: Share(told[k]["clicked"], told[k]["lists"]) for k in ROLES}
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"{file}: {error!r}; give "
            '{"stable": {"lists": N, "clicked": N}, "canary": {...}}'
        ) from error
    for role, share in found.items():
        if not 0 <= share.part <= share.whole:
            raise InputError(f"{file}: {role} has {share.part} of {share.whole} lists")
    return found


def _text(place: str) -> str:
    try:
        if place.startswith(("http://", "https://")):
            with urllib.request.urlopen(place, timeout=_SECONDS) as answer:
                return answer.read().decode()
        return Path(place).read_text()
    except (OSError, urllib.error.URLError) as error:
        raise InputError(f"{place}: {error}; give a client's metrics page") from error


def _parsed(text: str) -> dict[tuple[str, str], int]:
    found = {}
    for line in text.splitlines():
        if match := _LINE.match(line):
            name, labels, value = match.groups()
            found[name, labels or ""] = int(float(value))
    return found


def _label(labels: str, name: str) -> str:
    match = re.search(rf'(?:^|,){name}="([^"]*)"', labels)
    return match[1] if match else ""

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


class Meter:
    """What the clients of one label count.

    Args:
        label: `stable` or `canary`.
        places: Files or `http(s)://` addresses of their metrics pages.
        slow_seconds: A bound of the clients' histogram; what is above it is slow.
        clicks: The file of `read_clicks`; None where nobody counts clicks.
        from_now: Whether what they have counted so far is left out. Of a client that
            begins anew meanwhile, all is counted.

    Raises:
        InputError: A page is missing, or has no such metrics.
    """

    def __init__(
        self,
        label: str,
        places: Iterable[str],
        slow_seconds: float,
        clicks: Path | None = None,
        from_now: bool = False,
    ):
        self._label, self._places, self._clicks = label, tuple(places), clicks
        self._slow_seconds = slow_seconds
        counted = self._read()  # and what is missing shows at once
        self._before = counted if from_now else {}

    def read(self) -> Counts:
        """All of it, added up.

        Raises:
            InputError: A page or the clicks cannot be read.
        """
        now = self._read()
        new = {key: _since(share, self._before.get(key)) for key, share in now.items()}
        errors, slow, clicked = (
            [share for (measure, _), share in new.items() if measure == wanted]
            for wanted in Counts._fields
        )
        return Counts(_sum(errors), _sum(slow), _sum(clicked) if clicked else None)

    def _read(self) -> dict[tuple[str, str], Share]:
        """By measure and place."""
        found = {}
        for place in self._places:
            found["errors", place], found["slow", place] = read_page(
                place, self._slow_seconds
            )
        if self._clicks is not None:
            found["clicked", ""] = read_clicks(self._clicks)[self._label]
        return found


def _since(now: Share, before: Share | None) -> Share:
    if before is None or now.part < before.part or now.whole < before.whole:
        return now
    return Share(now.part - before.part, now.whole - before.whole)


def _sum(shares: Iterable[Share]) -> Share:
    return Share(*(sum(one) for one in zip(*shares, strict=True)))


def read_page(place: str, slow_seconds: float) -> tuple[Share, Share]:
    """A client's failed requests and its slow ones; see `Meter`."""
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
    failed = sum(n for labels, n in codes.items() if _label(labels, "code") != "OK")
    timed = buckets[math.inf]
    return (
        Share(failed, sum(codes.values())),
        Share(timed - buckets[slow_seconds], timed),
    )


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

"""A lineage as lines for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from tfx_pipeline.gate.explain import headline

GONE = "(gone)"


def as_text(known: Mapping[str, Any]) -> str:
    """The answer in short, then every step with what it read and wrote.

    Args:
        known: From `facts`.
    """
    return "\n".join([*_in_short(known), "", *_steps(known["steps"])])


def _in_short(known: Mapping[str, Any]) -> Iterator[str]:
    data, code, settings = known["data"], known["code"], known["settings"]
    yield f"version {known['version']}, pushed {known['pushed']['when']}"
    yield f"  to         {known['pushed']['to']}"
    yield f"  data       {data['dataset']}, from {data['raw']}"
    yield f"             fingerprint of files and code {data['fingerprint']}"
    for name, span in data["spans"].items():
        told = ", ".join(f"{k} {v}" for k, v in span.items())
        yield f"             {name}: {told}"
    lists = {k: n for k, n in (data["counts"] or {}).items() if k.startswith("lists/")}
    splits = ("train", "validation", "test")
    told = ", ".join(f"{s} {lists.get(f'lists/{s}', 0):,}" for s in splits)
    yield f"  lists      {told if lists else GONE}"
    yield f"  code       {code['fingerprint']}, psad-tf {code['package'] or GONE}"
    if settings:
        model = settings["model"] or "preset"
        yield f"  settings   seed {settings['seed']}, model {model}"
        yield f"             training {settings['training'] or 'preset'}"
    yield f"  validation {_figures(known['training'])}"
    yield f"  test       {_test(known['test'])}"
    yield f"  compared   {_compared(known['compared_with'])}"
    yield f"  gate       {headline(known['gate']) if known['gate'] else GONE}"
    served = known["serving_check"]
    yield f"  server     {served['reason'] if served else GONE}"


def _figures(values: Mapping[str, float] | None) -> str:
    if not values:
        return GONE
    return ", ".join(f"{k.replace('_', ' ')} {v:.4f}" for k, v in values.items())


def _test(overall: Mapping[str, Any] | None) -> str:
    if not overall:
        return GONE
    found = overall["ndcg_at_10"]
    mean, gain = found["means"]["served"]["mean"], found["gains"]["initial"]
    return (
        f"NDCG@10 {mean:.4f}, gain over the initial order {gain['mean']:+.4f} "
        f"({gain['low']:+.4f} to {gain['high']:+.4f})"
    )


def _compared(version: str | None) -> str:
    return f"with version {version}" if version else "with none: it was the first one"


def _steps(steps) -> Iterator[str]:
    for step in steps:
        yield f"{step['number']:>4}  {step['component']} ({step['ended']})"
        for arrow, named in (("<-", step["reads"]), ("->", step["writes"])):
            for key, items in named.items():
                for item in items:
                    place = item["place"] or f"{item['uri']} {GONE}"
                    yield f"      {arrow} {key} [{item['number']}] {place}"

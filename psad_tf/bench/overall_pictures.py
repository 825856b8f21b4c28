"""The plots of all rerankers, from the figures of `overall.json`."""

from collections.abc import Iterator, Mapping

from psad_tf.bench import method_plots
from psad_tf.bench.method_plots import Chart
from psad_tf.bench.overall_sheets import STARRED
from psad_tf.bench.report_words import measure_title
from psad_tf.bench.statistics import Interval
from psad_tf.report_page.style import Picture, picture

INITIAL = "initial order"


def pictures_of(dataset, where: str) -> Iterator[Picture]:
    """The plots of one data set; `where` says of each what it is of."""
    for metric in ("ndcg", "utility", "popularity"):
        if found := _intervals(dataset, metric):
            yield _chart(
                dataset,
                found,
                measure_title(metric),
                f"{measure_title(metric)} by method",
                f"{where} Bars: 95 % over seeds; dotted: the initial order.",
                found.get(INITIAL),
            )
        if metric != "popularity" and (found := _differences(dataset, metric)):
            title = f"Differences in {measure_title(metric)} to {STARRED}"
            caption = f"{where} Bars: 95 % bootstrap over lists."
            label = f"{measure_title(metric)}, difference to {STARRED}"
            zero = Interval(0.0, 0.0, 0.0)
            yield _chart(dataset, found, label, title, caption, zero)
    worth, ndcg = (_intervals(dataset, name) for name in ("utility", "ndcg"))
    if both := {name: (ndcg[name], worth[name]) for name in ndcg if name in worth}:
        yield picture(
            method_plots.draw_scatter,
            both,
            [measure_title("ndcg"), measure_title("utility")],
            dataset["is_simulated"],
            title="Utility against NDCG@10",
            caption=f"{where} Bars: 95 % over seeds.",
        )


def _chart(dataset, found, label, title, caption, line: Interval | None) -> Picture:
    title = title[0].upper() + title[1:]
    chart = Chart({"": found}, label, dataset["is_simulated"], line and line.mean)
    return picture(method_plots.draw_methods, chart, title=title, caption=caption)


def _interval(values: Mapping[str, float | None]) -> Interval:
    ends = (values[name] for name in Interval._fields)
    return Interval(*(float("nan") if end is None else end for end in ends))


def _intervals(dataset, metric: str) -> dict[str, Interval]:
    methods = dataset["methods"].items()
    return {
        title: _interval(method["over_seeds"][metric])
        for title, method in methods
        if metric in method["over_seeds"]
    }


def _differences(dataset, metric: str) -> dict[str, Interval]:
    return {
        title: _interval(method["against"][STARRED][metric]["difference"])
        for title, method in dataset["methods"].items()
        if metric in method["against"].get(STARRED, {})
    }

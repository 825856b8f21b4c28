"""Renders the page of a pipeline's run."""

from collections.abc import Mapping, Sequence
from typing import Any

from psad_tf.report_page.page import environment
from psad_tf.report_page.style import Picture
from tfx_pipeline.report.words import RANKER_TITLES, group_title, metric_title

TEMPLATE = "report.html"
# With fewer lists than this, a group's interval is shown but called unsure.
FEW_LISTS = 30


def render(
    summary: Mapping[str, Any], pictures: Mapping[str, Sequence[Picture]]
) -> str:
    """The page.

    Args:
        summary: The content of `metrics.json`.
        pictures: Section name to its plots.
    """
    templates = environment("tfx_pipeline")
    templates.filters["metric"] = metric_title
    templates.globals |= {
        "group_title": group_title,
        "few_lists": FEW_LISTS,
        "ranker_titles": RANKER_TITLES,
    }
    return templates.get_template(TEMPLATE).render(**summary, pictures=pictures)

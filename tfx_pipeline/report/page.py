"""Renders the page of a pipeline's run."""

from collections.abc import Mapping, Sequence
from typing import Any

from psad_tf.report_page.page import environment
from psad_tf.report_page.style import Picture
from tfx_pipeline.gate.check import ALL_LISTS
from tfx_pipeline.gate.explain import check_title, figure
from tfx_pipeline.report.words import RANKER_TITLES, group_title, metric_title

TEMPLATE, SHORT_TEMPLATE = "report.html", "refused.html"
# With fewer lists than this, a group's interval is shown but called unsure.
FEW_LISTS = 30


def render(
    summary: Mapping[str, Any], pictures: Mapping[str, Sequence[Picture]]
) -> str:
    """The page; a short one for a model that could not be measured.

    Args:
        summary: The content of `metrics.json`.
        pictures: Section name to its plots.
    """
    templates = environment("tfx_pipeline")
    templates.filters |= {
        "metric": metric_title,
        "check": check_title,
        "figure": figure,
    }
    templates.globals |= {
        "group_title": group_title,
        "few_lists": FEW_LISTS,
        "all_lists": ALL_LISTS,
        "ranker_titles": RANKER_TITLES,
    }
    name = TEMPLATE if "test" in summary else SHORT_TEMPLATE
    return templates.get_template(name).render(**summary, pictures=pictures)

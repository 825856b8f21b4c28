"""Renders a page: one file, nothing loaded from anywhere."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from psad_tf.report_page import formats

FILTERS = ("number", "signed", "span", "count", "words")


def environment(package: str, is_html: bool = True) -> Environment:
    """Where a page's templates are found, and how figures are written in them.

    Args:
        package: Whose `templates` folder stands before the shared one, which has
            `style.html` and `parts.html`.
        is_html: Whether text is escaped.
    """
    packages = package, "psad_tf.report_page"
    result = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in packages]),
        autoescape=is_html,
        # A figure that is missing must not look like an empty one.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    result.filters |= {name: getattr(formats, name) for name in FILTERS}
    return result

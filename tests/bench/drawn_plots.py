"""Plots, drawn as reports draw them, and whether their texts can be read."""

import itertools

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from psad_tf.report_page import style
from psad_tf.report_page.style import HEIGHT, LIGHT, WIDTH


def drawn(draw, *data):
    figure = Figure((WIDTH, HEIGHT), layout="constrained")
    draw(figure, LIGHT, *data)
    (axes,) = figure.axes
    return axes


def leave_out_plots(patch) -> None:
    """Reports get empty pictures, for tests of the rest: plots take the most of them.

    Args:
        patch: A `pytest.MonkeyPatch`.
    """
    patch.setattr(style, "drawn", lambda *_: "<svg/>")


def check_texts(axes, is_horizontal: bool) -> None:
    """No text hides another or is cut off, and the axes have room.

    Args:
        axes: From `drawn`.
        is_horizontal: Whether the ticks along y are words.
    """
    figure = axes.figure
    FigureCanvasAgg(figure).draw()
    low, high = axes.viewLim.intervalx
    ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    shown = [label for place, label in ticks if low <= place <= high]
    shown += [axes.xaxis.label, axes.yaxis.label, *axes.texts]
    shown += axes.get_yticklabels() if is_horizontal else []
    shown += figure.legends
    boxes = [(str(artist), artist.get_window_extent()) for artist in shown]
    boxes = [(name, box) for name, box in boxes if box.width]
    assert len(boxes) >= 4
    for name, box in boxes:
        inside = box.x0 >= 0 and box.x1 <= figure.bbox.x1
        assert inside and box.y0 >= 0 and box.y1 <= figure.bbox.y1, name
    for (one, box), (other, its) in itertools.combinations(boxes, 2):
        assert not box.overlaps(its), (one, other)
    assert axes.bbox.width > figure.bbox.width / 3

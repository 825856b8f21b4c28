"""What the graph does alone: measured on the signature that is asked, apart."""

import pytest
from serving_lists import FEATURES

from psad_tf.errors import InputError
from serving import bare_graph
from serving.load_requests import drawn_lists, requests_of


def requests(signature="rank"):
    lists = drawn_lists(FEATURES, 4, 3, 1)
    given = lists, FEATURES, "psad", signature
    return {size: requests_of(*given, size, 2) for size in (2, 1)}


@pytest.mark.parametrize("signature", ["rank", "serving_default"])
def test_every_size_is_called_for_its_time(signature, exports):
    rows = bare_graph.measure(exports["up"], requests(signature), seconds=0.05)
    assert [row["batch"] for row in rows] == [1, 2]
    for row in rows:
        rate = row["calls"] * row["batch"] / 0.05
        assert row["calls"] >= 1 and 0 < row["lists_a_second"] <= rate


def test_a_process_of_its_own_finds_the_same_form(exports):
    rows = bare_graph.measure_apart(exports["up"], requests(), seconds=0.05)
    assert [sorted(row) for row in rows] == [["batch", "calls", "lists_a_second"]] * 2


def test_what_is_no_model_is_named(tmp_path, exports):
    with pytest.raises(InputError, match="no SavedModel there"):
        bare_graph.measure_apart(tmp_path, requests(), 0.05)
    with pytest.raises(InputError, match="other"):
        bare_graph.measure_apart(exports["up"], requests("other"), 0.05)

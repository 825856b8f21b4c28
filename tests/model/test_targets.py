import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from psad_tf import targets

LISTS = st.lists(
    st.tuples(st.lists(st.booleans(), min_size=6, max_size=6), st.integers(0, 6)),
    min_size=1,
    max_size=4,
)


def unpack(lists):
    label = np.array([clicks for clicks, _ in lists], dtype="float32")
    is_valid = np.arange(6) < np.array([count for _, count in lists])[:, None]
    return label, is_valid


def reference_order(label, is_valid, slots):
    rows = []
    for labels, valid in zip(label, is_valid, strict=True):
        shown = [i for i in range(len(labels)) if valid[i]]
        order = [i for i in shown if labels[i]] + [i for i in shown if not labels[i]]
        rows.append((order + [-1] * slots)[:slots])
    return np.array(rows)


def test_clicked_first_each_group_as_shown():
    label = np.array([[0, 1, 0, 1, 1]], dtype="float32")
    is_valid = np.array([[True, True, True, True, False]])
    order = targets.clicked_first(label, is_valid, 5)
    np.testing.assert_array_equal(order, [[1, 3, 0, 2, -1]])


@given(LISTS, st.integers(1, 6))
@settings(deadline=None, max_examples=25)
def test_target_order_matches_a_loop(lists, slots):
    label, is_valid = unpack(lists)
    found = targets.clicked_first(label, is_valid, slots)
    np.testing.assert_array_equal(found, reference_order(label, is_valid, slots))


def test_a_draw_puts_each_group_in_order_and_keeps_the_groups():
    label = np.array([[0, 1, 0, 1, 1]], dtype="float32")
    is_valid = np.array([[True, True, True, True, False]])
    draw = np.array([[0.3, 0.9, 0.2, 0.1, 0.0]], dtype="float32")
    order = targets.clicked_first(label, is_valid, 5, draw)
    np.testing.assert_array_equal(order, [[3, 1, 2, 0, -1]])


def test_exposed_is_the_list_as_it_was_shown():
    is_valid = np.array([[True, True, True, True], [True, False, False, False]])
    order = targets.exposed(is_valid, 3)
    np.testing.assert_array_equal(order, [[0, 1, 2], [0, -1, -1]])


def test_sampled_orders_are_plackett_luce():
    """Shares 1/6, 2/6, 3/6: first by share, then by share of what is left."""
    size = 20_000
    scores = np.log(np.array([1, 2, 3, 1e6], "float32"))[None].repeat(size, axis=0)
    is_valid = np.array([[True, True, True, False]]).repeat(size, axis=0)
    draw = np.random.default_rng(0).random((size, 4)).astype("float32")
    order = np.array(targets.sampled_order(scores, is_valid, 4, draw))
    np.testing.assert_array_equal(np.sort(order[:, :3]), [[0, 1, 2]] * size)
    assert (order[:, 3] == -1).all()
    np.testing.assert_allclose((order[:, 0] == 2).mean(), 3 / 6, atol=0.02)
    after = order[order[:, 0] == 2, 1]
    np.testing.assert_allclose((after == 1).mean(), 2 / 3, atol=0.02)


def test_blocks_of_two_in_five_slots():
    t, f = True, False
    same = [[t, t, f, f, f], [t, t, f, f, f], [f, f, t, t, f], [f, f, t, t, f]]
    np.testing.assert_array_equal(targets.same_block(5, 2)[:4], same)
    np.testing.assert_array_equal(targets.same_block(5, 2)[4], [f, f, f, f, t])
    np.testing.assert_array_equal(targets.earlier_block(5, 2)[3], [t, t, f, f, f])
    np.testing.assert_array_equal(targets.earlier_block(5, 2)[1], [f] * 5)


@given(LISTS, st.integers(1, 4))
@settings(deadline=None, max_examples=25)
def test_remaining_matches_a_loop(lists, block_size):
    label, is_valid = unpack(lists)
    order = reference_order(label, is_valid, 4)
    found = np.array(targets.remaining(order, is_valid, block_size))
    for b in range(len(order)):
        for j in range(4):
            gone = set(order[b, : j // block_size * block_size])
            expected = [
                order[b, j] >= 0 and is_valid[b, i] and i not in gone for i in range(6)
            ]
            np.testing.assert_array_equal(found[b, j], expected)


def test_least_sure_slots_in_slot_order():
    confidence = np.array([[-1.0, -3.0, -2.0, -9.0], [-1.0, -9.0, -9.0, -9.0]])
    is_valid = np.array([[True, True, True, False], [True, False, False, False]])
    slots, is_masked = targets.least_sure(confidence, is_valid, 2)
    np.testing.assert_array_equal(slots[0], [1, 2])
    np.testing.assert_array_equal(is_masked[0], [False, True, True, False])
    assert 0 in np.array(slots[1])  # The one slot with an item comes before the others.

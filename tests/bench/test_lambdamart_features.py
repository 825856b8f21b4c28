"""What the rival is told of a candidate: by hand, and by loops."""

import numpy as np
import pytest
from lambdamart_lists import CONFIG, FEATURES, described, many_lists, one_list

from psad_tf.baselines import lambdamart_blocks
from psad_tf.baselines.lambdamart_features import Describer
from psad_tf.baselines.lambdamart_rates import FOLDS, PRIOR_SHOWS, ClickRates
from psad_tf.config import PSADConfig


def test_numbers_beside_those_of_the_list():
    columns = described(one_list())

    # The padding's 99 is nowhere: the mean price is 2, the deviation 1.
    for name, expected in {
        "price": [1, 3, 0],
        "minus_mean_price": [-1, 1, 0],
        "z_price": [-1, 1, 0],
        "share_below_price": [0, 1, 0],
        "initial_score": [5, 4, 0],
        "place": [0, 1, 0],
        "list_length": [2, 2, 0],
        "history_length": [2, 2, 0],
        # The history's mean price is 3, and what it thought of it -0.25.
        "minus_history_price": [-2, 0, 0],
        "history_mean_stars": [-0.25, -0.25, 0],
    }.items():
        assert columns[f"numbers/{name}"] == pytest.approx(expected), name


def test_likeness_to_the_list_and_to_the_history():
    columns = described(one_list())
    old = 0.5 ** (1 / lambdamart_blocks.HALF_LIFE)

    for name, expected in {
        # Half of (7, 8) is in the second candidate, all of (8) in the first.
        "alike_in_list_tags": [0.5, 1, 0],
        "alike_above_tags": [0, 1, 0],
        "alike_in_list_item_id": [0, 0, 0],
        # Items 3 (older) and 2 (newer) are the candidates 3 and 2.
        "history_share_item_id": [1 / 2, 1 / 2, 0],
        "history_recent_share_item_id": [1 / (1 + old), old / (1 + old), 0],
        "history_share_tags": [1 / 2, 1 / 2, 0],
        # Stars of what is alike, over one more: 0.5 / 2 and -1 / 2.
        "history_stars_item_id": [0.25, -0.5, 0],
        # (7, 8) is half like both: (-0.5 + 0.25) / 2; (8) like the newer: 0.5 / 2.
        "history_stars_tags": [-0.125, 0.25, 0],
    }.items():
        assert columns[f"numbers/{name}"] == pytest.approx(expected), name


def test_ids_of_small_fields_are_categories_or_marks():
    columns = described(one_list())

    # Counted from the field's first id; tags one by one.
    assert columns["ids/item_item_id_id"].tolist() == [1, 2, 0]
    assert columns["ids/user_segment_id"].tolist() == [1, 1, 0]
    assert columns["ids/item_tags_is_1"].tolist() == [1, 0, 0]
    assert columns["ids/item_tags_is_2"].tolist() == [1, 1, 0]
    names = Describer(CONFIG, FEATURES, one_list()).categorical()
    assert names == ["ids/item_item_id_id", "ids/user_segment_id"]


def test_an_empty_history_is_like_nothing():
    columns = described(one_list(history_is_valid=[[0, 0]]))

    for name, values in columns.items():
        if name.startswith("numbers/history_"):
            assert not values.any(), name
    assert columns["numbers/minus_history_price"].tolist() == [1, 3, 0]


def test_padding_changes_nothing():
    arrays = one_list()
    other = one_list(
        candidate_ids=[[[2, 7, 8], [3, 8, 0], [5, 9, 9]]],
        candidate_dense=[[[1.0, 5], [3, 4], [-7, 7]]],
    )

    for name, values in described(arrays, training=arrays).items():
        assert (values == described(other, training=arrays)[name]).all(), name


def test_many_lists_at_once_are_each_list_alone():
    arrays = many_lists(300)  # more than one part
    describer = Describer(CONFIG, FEATURES, arrays)

    together, _ = describer.rows(arrays)

    for i in (0, 255, 256, 299):
        alone, _ = describer.rows({k: v[i : i + 1] for k, v in arrays.items()})
        assert (together[i] == alone[0]).all()


def test_click_rates_against_a_loop():
    arrays = many_lists(40)
    ids, label = arrays["candidate_ids"], arrays["label"]
    is_valid = np.random.default_rng(1).random(label.shape) < 0.8
    rates = ClickRates.fit(ids, label, is_valid, CONFIG.item_rows)

    click = label * is_valid
    base = click.sum() / is_valid.sum()
    by_place = [click[:, j].sum() / is_valid[:, j].sum() for j in range(3)]
    for wanted, fold in ((3, None), (7, None), (8, 4)):
        clicks, shows, expected = PRIOR_SHOWS * base, PRIOR_SHOWS, PRIOR_SHOWS * base
        for i, j in np.argwhere(is_valid):
            if rates.fold[i] != fold and wanted in ids[i, j]:
                clicks, shows = clicks + click[i, j], shows + 1
                expected += by_place[j]
        found = rates.whole if fold is None else rates.held_out[:, fold]
        assert found[:, wanted] == pytest.approx([clicks / shows, clicks / expected])


def test_a_training_list_does_not_see_its_own_clicks():
    arrays = many_lists(60)
    describer = Describer(CONFIG, FEATURES, arrays)
    flipped = arrays["label"].copy()
    fold = describer.item_rates.fold
    flipped[fold == fold[0]] = 1 - flipped[fold == fold[0]]
    other = Describer(CONFIG, FEATURES, arrays | {"label": flipped})

    mine, theirs = (d.item_rates.held_out[0, fold[0]] for d in (describer, other))

    # All that moves is the smoothing's base, which a thousand clicks hardly move.
    bases = np.array([describer.item_rates.base, other.item_rates.base])
    shows = np.bincount(
        arrays["candidate_ids"][fold != fold[0]].ravel(), minlength=CONFIG.item_rows
    )
    weight = PRIOR_SHOWS / (shows + PRIOR_SHOWS)
    seen = np.arange(CONFIG.item_rows) > 0
    assert mine[seen] - theirs[seen] == pytest.approx(
        (weight * (bases[0] - bases[1]))[seen]
    )
    assert len(set(fold)) == FOLDS


def test_training_rows_take_the_rates_of_the_other_folds():
    arrays = many_lists(60)
    describer = Describer(CONFIG, FEATURES, arrays)

    values, names = describer.rows(arrays, are_training=True)

    column = values[..., names.index("rates/rate_item_id")]
    fold = describer.item_rates.fold
    for i in (0, 1, 59):
        expected = describer.item_rates.held_out[0][
            fold[i], arrays["candidate_ids"][i, :, 0]
        ]
        assert column[i] == pytest.approx(expected)


def test_a_configuration_of_another_data_set_is_refused():
    config = PSADConfig.of({**CONFIG.to_dict(), "history_dense_size": 3})

    with pytest.raises(ValueError, match="history_dense_size=3, but shop has 2"):
        Describer(config, FEATURES, one_list())


def test_lists_without_a_click_teach_nothing():
    arrays = one_list(label=[[0.0, 0, 0]])

    with pytest.raises(ValueError, match="none of 1 training lists has a click"):
        Describer(CONFIG, FEATURES, arrays)

"""How a request is to run: what is refused, and how much there is to warm up."""

import pytest
from export_cases import FEATURES

from psad_tf.errors import ConfigError
from psad_tf.serving_config import ServingConfig, serving_config


@pytest.mark.parametrize(
    "choices, message",
    [
        ([], "serving: .* must be an object of named fields"),
        ({"batch_size": 8}, "serving: .'batch_size'. are unknown; known: .'list_buck"),
        ({"list_buckets": [10, 5]}, "list_buckets=.10, 5. must be increasing"),
        ({"list_buckets": [0]}, "list_buckets=.0,. must be .* from 1 on"),
        ({"history_buckets": 5}, "history_buckets=5 must be increasing whole numbers"),
        ({"batch_sizes": [1.5]}, "batch_sizes=.1.5,. must be increasing whole numbers"),
        ({"batch_sizes": []}, "batch_sizes=.. must name at least one size"),
        ({"batching": "yes"}, "batching='yes' must be true or false"),
        ({"batch_threads": 0}, "batch_threads=0 must be a whole number from 1 on"),
        ({"queue_batches": True}, "queue_batches=True must be a whole number"),
        ({"batch_timeout_micros": -1}, "batch_timeout_micros=-1 must be .* from 0 on"),
        ({"precision": "int4"}, "precision='int4' must be one of"),
        ({"precision_tolerance": 2}, "precision_tolerance=2 must be a number in 0..1"),
        (
            {"extra_signatures": ["rank_ids"]},
            r"must be of \['rank_matrix', 'rank_tensors', 'user_",
        ),
        ({"onnx": "scorer.onnx"}, "onnx='scorer.onnx' must be true or false"),
        (
            {"onnx": True, "precision": "bfloat16"},
            "precision='bfloat16' has no ONNX form; choose another or no `onnx`",
        ),
    ],
)
def test_a_bad_choice_is_named_with_its_remedy(choices, message):
    with pytest.raises(ConfigError, match=message):
        serving_config(choices)


def test_lists_of_json_come_back_as_they_were():
    choices = {"list_buckets": [5], "batching": True, "batch_sizes": [2, 8]}
    config = serving_config(choices)
    assert config == ServingConfig((5,), batching=True, batch_sizes=(2, 8))
    assert config.to_dict().items() >= choices.items()
    assert serving_config(config.to_dict()) == config


def test_the_full_width_is_always_there_once():
    full = FEATURES.list_length, FEATURES.history_length
    assert ServingConfig().widths(FEATURES) == (full,)
    config = ServingConfig(list_buckets=(5, full[0]), history_buckets=(10,))
    assert config.widths(FEATURES) == (
        (5, 10),
        (5, full[1]),
        (full[0], 10),
        (full[0], full[1]),
    )


def test_a_bucket_wider_than_the_lists_is_refused():
    with pytest.raises(ConfigError, match="list_buckets=.21,. must not exceed 20"):
        ServingConfig(list_buckets=(21,)).check_fits(FEATURES)
    with pytest.raises(ConfigError, match="history_buckets=.10, 51. must not exceed"):
        ServingConfig(history_buckets=(10, 51)).check_fits(FEATURES)


def test_more_warm_up_than_a_server_takes_is_refused():
    # 20 x 5 widths, 2 signatures and the smallest request: 802 with 4 sizes.
    choices = {
        "list_buckets": tuple(range(1, 21)),
        "history_buckets": (10, 20, 30, 40),
        "batching": True,
    }
    ServingConfig(**choices, batch_sizes=(1, 2, 3, 4)).check_fits(FEATURES)
    config = ServingConfig(**choices, batch_sizes=(1, 2, 3, 4, 5))
    with pytest.raises(ConfigError, match="1002 warm-up requests"):
        config.check_fits(FEATURES)

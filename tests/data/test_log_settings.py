"""Choices for raw logs: by name and type, and only where there are raw logs."""

import pytest

from psad_tf.data.settings import LogSettings, log_settings
from psad_tf.data.sources import source, writes_lists
from psad_tf.errors import ConfigError


def test_choices_of_a_configuration():
    found = log_settings({"protocol": "librerank", "max_user_rows": 5})
    assert found == LogSettings("librerank", max_user_rows=5)
    assert log_settings({}) == LogSettings()


@pytest.mark.parametrize(
    "choices", [{"protocl": "paper"}, {"max_user_rows": "5"}, {"beam_args": ()}]
)
def test_a_wrong_choice_is_named_with_those_that_there_are(choices):
    ((name, value),) = choices.items()
    with pytest.raises(ConfigError) as caught:
        log_settings(choices)
    assert f"logs: {name}={value!r}" in str(caught.value)
    assert "max_user_rows (int), work (str)" in str(caught.value)


def test_other_data_sets_take_beams_options_alone():
    with_options = LogSettings(beam_args=("--runner=FnApiRunner",))
    assert source("click-world", with_options) is source("click-world")
    with pytest.raises(ConfigError, match="user_salt='env': click_world is not built"):
        source("click-world", LogSettings(user_salt="env"))
    assert writes_lists("ad") and not writes_lists("movielens-100k")


def test_a_log_has_the_settings_that_were_chosen_for_it():
    assert source("ad").protocol()[0] == "paper"
    chosen = source("ad", LogSettings("librerank"))
    assert chosen.protocol()[0] == "librerank" and chosen.protocol()[1].one_list
    assert source("ad").settings == LogSettings()  # of this call alone

"""What every reranker of the registry must do, whatever it is inside."""

import keras
import numpy as np
import pytest
from backend_tools import IS_JAX, compile_with, quick
from model_cases import TINY, arrays, awake, make_batch, repeated, tensors, tiny

from psad_tf import metrics
from psad_tf.baselines.registry import RERANKERS, build_reranker, reranker
from psad_tf.masking import mask_logit

COUNTS = [6, 5, 4, 3, 2, 1, 6, 6]
NAMES = sorted(RERANKERS)
STAGES = [(name, stage) for name in NAMES for stage in reranker(name).stages]


@pytest.fixture(scope="module")
def models():
    """Each reranker with random weights, made once."""
    made = {}

    def of(name):
        if name not in made:
            keras.utils.set_random_seed(3)
            made[name] = awake(build_reranker(name, TINY))
        return made[name]

    return of


def readouts(model, inputs):
    # A function of its own: JAX would use another model's program again.
    return {
        name: np.array(quick(lambda x, way=way: way(x))(inputs))
        for name, way in model.readouts().items()
    }


@pytest.fixture(scope="module")
def usual(models):
    """Each reranker's readouts of `COUNTS`, asked for once."""
    found = {}

    def of(name):
        if name not in found:
            found[name] = readouts(models(name), make_batch(TINY, COUNTS)[0])
        return found[name]

    return of


@pytest.mark.parametrize("name", NAMES)
def test_scores_have_a_place_for_each_candidate_and_padding_is_last(usual, name):
    is_valid = np.array(make_batch(TINY, COUNTS)[0]["candidate_is_valid"])
    for scores in usual(name).values():
        assert scores.shape == is_valid.shape
        assert scores.dtype == "float32"
        assert np.isfinite(scores).all()
        assert (scores[~is_valid] == mask_logit("float32")).all()
        assert (scores[is_valid] > mask_logit("float32") / 2).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_first_readout_is_the_model_itself(models, usual, name):
    inputs, _ = make_batch(TINY, COUNTS)
    first = next(iter(usual(name).values()))
    np.testing.assert_array_equal(first, models(name)(inputs, training=False))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_drawn_when_it_ranks(models, usual, name):
    again = readouts(models(name), make_batch(TINY, COUNTS)[0])
    for way, scores in usual(name).items():
        np.testing.assert_array_equal(scores, again[way])


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_in_the_padding_changes_nothing(models, name):
    inputs, label = make_batch(TINY, COUNTS, seed=1)
    mixed = other_padding(inputs)
    model = models(name)
    for way, scores in readouts(model, inputs).items():
        np.testing.assert_allclose(
            readouts(model, mixed)[way], scores, atol=1e-5, err_msg=way
        )
    for stage in model.stages:
        loss, found = (
            drawn_alike(model, lambda x=x, s=stage: model.list_loss(x, label, False, s))
            for x in (inputs, mixed)
        )
        np.testing.assert_allclose(found, loss, rtol=1e-4, atol=1e-6, err_msg=stage)


def drawn_alike(model, function):
    """What a function gives when the model draws from the same start each time."""
    model.seed_generator.state.assign(np.array([7, 0], "uint32"))
    return function()


def other_padding(inputs):
    other = arrays(make_batch(TINY, COUNTS, seed=2)[0])
    mixed = arrays(inputs)
    for place in ("candidate", "history"):
        is_valid = mixed[f"{place}_is_valid"][..., None]
        for column in (f"{place}_ids", f"{place}_dense"):
            mixed[column] = np.where(is_valid, mixed[column], other[column])
    return tensors(mixed)


@pytest.mark.parametrize("name", NAMES)
def test_lists_do_not_know_each_other(models, usual, name):
    inputs, _ = make_batch(TINY, COUNTS)
    rows = {k: v[2:4] for k, v in arrays(inputs).items()}
    alone = readouts(models(name), tensors(rows))
    for way, scores in usual(name).items():
        np.testing.assert_allclose(alone[way], scores[2:4], atol=1e-5, err_msg=way)


@pytest.mark.parametrize("name", NAMES)
def test_item_profile_and_history_count(models, name):
    inputs, _ = make_batch(TINY, [6] * 16, [5] * 16)
    # An order may stay the same for one list: of sixteen some must change.
    given, columns = arrays(inputs), ("user_ids", "history_dense", "candidate_dense")
    cases = [given, *(given | {c: given[c][::-1]} for c in columns)]
    # Lists do not know each other: all four at once.
    both = {k: np.concatenate([case[k] for case in cases]) for k in given}
    for way, scores in readouts(models(name), tensors(both)).items():
        before, *others = np.split(scores, 4)
        for column, after in zip(columns, others, strict=True):
            assert np.abs(after - before).max() > 1e-4, (column, way)


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_losses_are_finite_for_any_labels(models, name, stage):
    inputs = repeated(arrays(make_batch(TINY, COUNTS)[0]), 3)
    is_valid = np.split(inputs["candidate_is_valid"].astype("float32"), 3)[0]
    one = is_valid * (np.arange(6) == 0)
    label = np.concatenate([np.zeros_like(is_valid), is_valid, one])
    for training in (False, True):
        loss = models(name).list_loss(tensors(inputs), label, training, stage)
        assert loss.shape == (len(label),)
        assert np.isfinite(loss).all()


@pytest.mark.parametrize("name", NAMES)
def test_configuration_travels(models, name, tmp_path):
    model = models(name)
    inputs, _ = make_batch(TINY, COUNTS)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    found, expected = (quick(lambda x, m=m: m(x))(inputs) for m in (loaded, model))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_stage_trains_its_parts_alone(name):
    model = build_reranker(name, TINY)
    for stage in model.stages:
        model.begin(stage)
        assert model.trainable_variables
        parts = model.parts(stage)
        if parts is not None:
            expected = {id(v) for part in parts for v in part.trainable_variables}
            assert {id(v) for v in model.trainable_variables} == expected
        for to, source in model.copies(stage):
            assert [v.shape for v in to.variables] == [
                v.shape for v in source.variables
            ]
    with pytest.raises(ValueError, match="nothing"):
        model.begin("nothing")


def test_unknown_names_are_refused():
    with pytest.raises(KeyError, match="'bert4rec' is unknown"):
        reranker("bert4rec")


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_what_is_easy_to_learn(name):
    keras.utils.set_random_seed(1)
    # The two candidates with the largest first number are clicked.
    inputs, _ = make_batch(TINY, [6] * 640)
    value = np.array(inputs["candidate_dense"])[..., 0]
    label = (np.argsort(np.argsort(-value)) < 2).astype("float32")
    model = build_reranker(name, tiny(num_layers=1, slate_length=2))
    for stage in model.stages:
        model.begin(stage)
        for to, source in model.copies(stage):
            for variable, value in zip(to.variables, source.variables, strict=True):
                # A copy: one buffer cannot be given to a training step twice.
                variable.assign(value.numpy())
        compile_with(keras.optimizers.Adam(0.01), model, jit_compile=IS_JAX)
        model.fit(inputs, label, batch_size=32, epochs=3, verbose=0)
    inputs, label = {k: v[:128] for k, v in inputs.items()}, label[:128]
    for way, scores in readouts(model, inputs).items():
        found = metrics.ndcg(label, scores, np.ones_like(label, bool), 10).mean()
        assert found > 0.8, way  # Random orders have about 0.6.

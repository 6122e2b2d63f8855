"""Learning classes from names: the split, the calibration and the measures, against plain recomputations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadData, ExtraMissing
from statcommons.prices.clean import learning
from statcommons.prices.clean.learning import folds, judge, learn, temperature
from statcommons.prices.clean.sizes import spelled

KINDS = {"milk": ["uht", "fresh", "goat", "oat"], "rice": ["white", "brown", "basmati", "wild"], "tea": ["green"]}
NAMES = sorted(f"{kind} {one} {brand}" for kind, of in KINDS.items() for one in of for brand in ("x", "y", "zz"))
LABELS = [name.split()[0] for name in NAMES]


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=60), st.integers(2, 7), st.integers(0, 99))
def test_folds_part_every_class_evenly(labels, count, seed):
    labels = np.array(labels, dtype=object)
    dealt = folds(labels, count, np.random.default_rng(seed))
    for name in set(labels):
        sizes = np.bincount(dealt[labels == name], minlength=count)
        assert sizes.max() - sizes.min() <= 1
    sizes = np.bincount(dealt, minlength=count)
    assert sizes.max() - sizes.min() <= 1


def test_folds_are_dealt_by_the_generator():
    labels = np.array(["a", "b"] * 20, dtype=object)
    dealt = [folds(labels, 4, np.random.default_rng(seed)).tolist() for seed in (1, 1, 2)]
    assert dealt[0] == dealt[1] != dealt[2]


def test_percentages_are_spelled_alike_and_sizes_left_out():
    assert spelled("Mleko UHT 3.2 % 1l") == spelled("mleko uht 3,2%0,5l") == "mleko uht 3,2%"
    assert spelled("mleko 2% 1l") == spelled("mleko 2,0% 500ml") != spelled("mleko 0,2% 1l")


@pytest.mark.parametrize("model", ["svm", "logistic"])
def test_what_is_judged_was_not_seen(model, monkeypatch):
    """Each name is classified by a model whose training holds no name of its fold."""
    seen = []
    fit = learning._fit

    def spy(texts, truth, *rest):
        decide = fit(texts, truth, *rest)

        def watched(asked):
            seen.append((set(texts), set(asked)))
            return decide(asked)

        return watched

    monkeypatch.setattr(learning, "_fit", spy)
    learn(NAMES, LABELS, model, 4, np.random.default_rng(1))
    assert len(seen) == 4
    assert all(not trained & asked for trained, asked in seen)
    assert set().union(*(asked for _, asked in seen)) == set(NAMES)


@pytest.mark.parametrize("model", ["svm", "logistic"])
def test_separable_names_are_learnt_and_scores_add_up(model):
    learnt, quality = learn(NAMES, LABELS, model, 3, np.random.default_rng(1))
    assert (quality.truth == quality.predicted).mean() > 0.9
    scores = learnt.scores(["milk coconut q", "tea green q", "rice puffed"])
    assert learnt.classes[scores.argmax(axis=1)].tolist() == ["milk", "tea", "rice"]
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-12)


def test_two_classes_and_a_class_of_one_name_work():
    names = ["milk a", "milk b", "milk c", "rice a"]
    learnt, quality = learn(names, ["m", "m", "m", "r"], "svm", 4, np.random.default_rng(0))
    # The one name of rice is never known to the model that judges it.
    assert quality.classes[quality.predicted].tolist() == ["m", "m", "m", "m"]
    assert learnt.scores(["rice b"]).argmax() == 1


def test_the_same_names_give_the_same_scores():
    first, again = (learn(NAMES, LABELS, "svm", 3, np.random.default_rng(5))[0].scores(NAMES) for _ in range(2))
    assert np.array_equal(first, again)


def test_temperature_finds_the_noise_that_was_put_in():
    generator = np.random.default_rng(4)
    decisions = generator.normal(size=(8000, 5)) * 2
    truth = np.array([generator.choice(5, p=row) for row in learning._softmax(decisions)])
    assert temperature(decisions * 3.0, truth) == pytest.approx(3.0, rel=0.1)
    assert temperature(decisions / 4.0, truth) == pytest.approx(0.25, rel=0.1)


def test_calibrated_scores_are_right_as_often_as_they_say():
    generator = np.random.default_rng(7)
    decisions = generator.normal(size=(8000, 4)) * 2
    truth = np.array([generator.choice(4, p=row) for row in learning._softmax(decisions)])
    distorted = decisions * 5
    score = learning._softmax(distorted / temperature(distorted, truth)).max(axis=1)
    right = distorted.argmax(axis=1) == truth
    for low in (0.4, 0.6, 0.8):
        of = (score >= low) & (score < low + 0.2)
        assert right[of].mean() == pytest.approx(score[of].mean(), abs=0.04)


def test_few_names_that_are_all_right_make_nobody_certain():
    decisions = np.array([[3.0, 0.0]] * 4)
    score = learning._softmax(decisions / temperature(decisions, np.zeros(4, int))).max(axis=1)
    assert score == pytest.approx(5 / 6, rel=1e-3)  # (4 + 1) of (4 + 2)


def test_a_class_that_the_model_could_not_know_counts_as_wrong():
    decisions = np.array([[5.0, -5.0, -np.inf]] * 4)
    assert temperature(decisions, np.array([2, 2, 2, 0])) > temperature(decisions, np.array([0, 0, 0, 0]))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 100)), min_size=1, max_size=40))
def test_measures_against_plain_counting(rows):
    truth, predicted, weight = (np.array(column) for column in zip(*rows, strict=True))
    found = judge(truth, predicted, weight, 4)
    for k in range(4):
        of = [row for row in rows if row[0] == k]
        given_to = [row for row in rows if row[1] == k]
        hits = [row for row in of if row[1] == k]
        assert found["names"][k] == len(of)
        for name, part, whole in (
            ("accuracy", len(hits), len(of)),
            ("precision", len(hits), len(given_to)),
            ("f1", 2 * len(hits), len(of) + len(given_to)),
            ("turnover_accuracy", sum(row[2] for row in hits), sum(row[2] for row in of)),
        ):
            assert found[name][k] == pytest.approx(part / whole if whole else float("nan"), nan_ok=True, rel=1e-9)


def test_refused():
    with pytest.raises(BadData, match="all of one class"):
        learn(["a", "b"], ["x", "x"], "svm", 2, np.random.default_rng(0))
    with pytest.raises(BadData, match="2 different labelled names for 3 folds"):
        learn(["a", "b"], ["x", "y"], "svm", 3, np.random.default_rng(0))


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.svm", None)
    with pytest.raises(ExtraMissing, match=r"statcommons\[learn\]"):
        learn(NAMES, LABELS, "svm", 3, np.random.default_rng(0))

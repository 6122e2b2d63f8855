"""Classes learnt from product names: a linear model over pieces of words, scored as probabilities and judged by names.

The names are judged out of fold: each is classified by a model that has not seen it. Names are different texts; rows of
sales repeat a name every month, and a split by row would ask the model for what it has seen.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from statcommons.core.errors import BadData, ExtraMissing
from statcommons.core.progress import step
from statcommons.prices.clean.sizes import spelled

__all__ = ["Learnt", "Model", "Quality", "folds", "judge", "learn", "temperature"]

Model: TypeAlias = Literal["svm", "logistic"]
"""The linear classifier: a support vector machine, or logistic regression."""

STRENGTH: dict[str, float] = {"svm": 10.0, "logistic": 100.0}
"""How closely a model follows its training names (C), chosen on 152 and 113 Polish names, see the tests."""


def folds(labels: NDArray[Any], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Deal names into folds, each class as evenly as it goes.

    Parameters
    ----------
    labels : array of shape (n,)
        The class of each name.
    count : int
        How many folds.
    generator : numpy.random.Generator
        Shuffles the names of a class.

    Returns
    -------
    integer array of shape (n,)
        The fold of each name, from 0.

    Examples
    --------
    >>> folds(np.array(["a", "a", "b", "b"]), 2, np.random.default_rng(0)).tolist()[:2] in ([0, 1], [1, 0])
    True
    """
    shuffled = generator.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    dealt = np.empty(len(labels), np.int64)
    dealt[by_class] = np.arange(len(labels)) % count
    return dealt


@dataclass(frozen=True, eq=False)
class Learnt:
    """A fitted model.

    Parameters
    ----------
    classes : array of shape (K,)
        The classes, sorted.
    temperature : float
        What decision values are divided by, so that scores are as often right as they say.
    decide : callable
        Gives the decision values of n names, an array of shape (n, K).
    """

    classes: NDArray[Any]
    temperature: float
    decide: Callable[[Sequence[str]], NDArray[np.float64]]

    def scores(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Score names.

        Parameters
        ----------
        names : sequence of str
            n names.

        Returns
        -------
        array of shape (n, K)
            Probabilities of the classes; each row adds up to 1.
        """
        return _softmax(self.decide(names) / self.temperature)


@dataclass(frozen=True, eq=False)
class Quality:
    """What is found when each name is classified by a model that has not seen it.

    Parameters
    ----------
    classes : array of shape (K,)
        The classes, sorted.
    truth, predicted : integer array of shape (n,)
        Positions in `classes`.
    score : array of shape (n,)
        The calibrated score of the prediction.
    temperature : float
        The temperature that calibrates.
    """

    classes: NDArray[Any]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    score: NDArray[np.float64]
    temperature: float


def learn(
    names: Sequence[str],
    labels: Sequence[str],
    model: Model,
    count: int,
    generator: np.random.Generator,
) -> tuple[Learnt, Quality]:
    """Learn classes from names, and judge what was learnt out of fold.

    Parameters
    ----------
    names : sequence of str
        n different names, in an order that does not depend on the rows that they come from.
    labels : sequence of str
        Their classes.
    model : {"svm", "logistic"}
        The linear classifier.
    count : int
        Folds, at most n.
    generator : numpy.random.Generator
        Deals the folds, and starts the SVM.

    Returns
    -------
    Learnt, Quality
        The model of all names, and how models of the other folds did on each.

    Raises
    ------
    BadData
        Fewer than two classes, or fewer names than folds.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On Calibration of Modern Neural Networks, ICML: temperature scaling.

    Examples
    --------
    >>> names = ["milk uht", "milk fresh", "milk goat", "rice white", "rice brown", "rice basmati"]
    >>> learnt, quality = learn(names, ["M"] * 3 + ["R"] * 3, "svm", 3, np.random.default_rng(0))
    >>> learnt.classes[learnt.scores(["milk oat", "rice black"]).argmax(axis=1)].tolist()
    ['M', 'R']
    """
    classes, truth = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
    if len(classes) < 2:
        raise BadData("The labels are all of one class.", remedy="Give labelled names of two classes or more.")
    if len(names) < count:
        raise BadData(
            f"There are {len(names)} different labelled names for {count} folds.", remedy="Give more, or fewer folds."
        )
    seed = int(generator.integers(2**31))
    texts = np.array([spelled(name) for name in names], dtype=object)
    dealt = folds(truth, count, generator)
    decisions = np.full((len(names), len(classes)), -np.inf)
    with step("Judge the names", total=count + 1, unit="models") as progress:
        for fold in range(count):
            held = dealt == fold
            seen = np.unique(truth[~held])
            decisions[np.ix_(held, seen)] = _fit(texts[~held], truth[~held], model, seed)(texts[held])
            progress.advance()
        decide = _fit(texts, truth, model, seed)
        progress.advance()
    heat = temperature(decisions, truth)
    scores = _softmax(decisions / heat)
    predicted = scores.argmax(axis=1)
    quality = Quality(classes, truth, predicted, scores.max(axis=1), heat)
    return Learnt(classes, heat, lambda asked: decide([spelled(name) for name in asked])), quality


def _fit(texts: Any, truth: NDArray[np.int64], model: Model, seed: int) -> Any:
    """Fit a model; give the function from texts to decision values, one column a class that it has seen."""
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union
        from sklearn.svm import LinearSVC
    except ImportError:
        raise ExtraMissing("Classification by names needs scikit-learn.", extra="learn") from None
    seen = np.unique(truth)
    if len(seen) == 1:
        return lambda asked: np.zeros((len(asked), 1))
    # Pieces of two to five letters bear misspellings and endings; whole words and pairs of them tell brands apart.
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    words = TfidfVectorizer(tokenizer=str.split, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True)
    if model == "svm":
        linear = LinearSVC(C=STRENGTH[model], max_iter=20_000, random_state=seed)
    else:
        linear = LogisticRegression(C=STRENGTH[model], max_iter=5_000)
    made = make_pipeline(make_union(pieces, words), linear)
    with warnings.catch_warnings():
        # The last digits of a fit that has not converged change no class; its scores are calibrated afterwards.
        warnings.simplefilter("ignore", ConvergenceWarning)
        made.fit(texts, truth)

    def decide(asked: Any) -> NDArray[np.float64]:
        values = np.asarray(made.decision_function(asked))
        return values if values.ndim == 2 else np.column_stack([-values / 2, values / 2])

    return decide


def temperature(decisions: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """Find the temperature under which the highest score of a name is the probability that it is right.

    Parameters
    ----------
    decisions : array of shape (n, K)
        Decision values of names that the model has not seen; minus infinity for a class that it has not seen either.
    truth : integer array of shape (n,)
        The columns of the true classes.

    Returns
    -------
    float
        From 0.01 to 100: what makes right and wrong predictions likeliest, one right and one wrong name more than there
        are being counted in, so that few names that are all right make nobody certain. One number for all names and
        classes: it changes how sure the model is, not what it says.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On Calibration of Modern Neural Networks, ICML, temperature scaling; Platt
    (1999), Probabilistic outputs for support vector machines, for the names that are counted in.

    Examples
    --------
    >>> sure_and_half_right = np.array([[9.0, 0.0], [9.0, 0.0]])
    >>> temperature(sure_and_half_right, np.array([0, 1])) > 50
    True
    """
    right = decisions.argmax(axis=1) == truth
    hits, misses = int(right.sum()), int((~right).sum())
    target = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))

    def loss(logarithm: float) -> float:
        score = np.clip(_softmax(decisions / np.exp(logarithm)).max(axis=1), 1e-12, 1 - 1e-12)
        return -float((target * np.log(score) + (1 - target) * np.log1p(-score)).sum())

    grid = np.linspace(np.log(0.01), np.log(100.0), 41)
    best = int(np.argmin([loss(one) for one in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, 40)]
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(30):  # golden section
        left, right_end = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right_end) if loss(left) <= loss(right_end) else (left, high)
    return float(np.exp((low + high) / 2))


def _softmax(decisions: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(decisions - decisions.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def judge(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], weight: NDArray[np.float64], count: int
) -> dict[str, NDArray[np.float64]]:
    """Compute by class how often it was found, and how often rightly.

    Parameters
    ----------
    truth, predicted : integer array of shape (n,)
        True and predicted classes, from 0 to `count` less 1.
    weight : array of shape (n,)
        Turnover of the names, from 0.
    count : int
        How many classes.

    Returns
    -------
    dict of str to array of shape (count,)
        ``names`` and ``turnover`` of the class; ``accuracy``, the share of its names that were put into it (recall),
        and ``turnover_accuracy``, the same by turnover; ``precision``, the share of the names put into it that belong
        there; ``f1``, the harmonic mean of accuracy and precision. Not a number where the divisor is 0; ``f1`` is 0
        where no name is right.

    Examples
    --------
    >>> found = judge(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([9.0, 1.0, 5.0]), 2)
    >>> found["accuracy"].tolist(), found["turnover_accuracy"].tolist(), found["precision"].tolist()
    ([0.5, 1.0], [0.9, 1.0], [1.0, 0.5])
    """
    right = (truth == predicted).astype(np.float64)
    names = np.bincount(truth, minlength=count).astype(np.float64)
    given = np.bincount(predicted, minlength=count).astype(np.float64)
    hits = np.bincount(truth, right, minlength=count)
    turnover = np.bincount(truth, weight, minlength=count).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return {
            "names": names,
            "turnover": turnover,
            "accuracy": hits / names,
            "turnover_accuracy": np.bincount(truth, weight * right, minlength=count) / turnover,
            "precision": hits / given,
            "f1": 2 * hits / (names + given),
        }

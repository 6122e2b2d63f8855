"""Classes of products learnt from their names, judged on unseen names, and handed to a clerk where unsure."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from statcommons.core.engine import current, total
from statcommons.core.errors import BadData, counted
from statcommons.core.method import method
from statcommons.core.quality import measure, notice
from statcommons.core.schema import Attribute, Dimension, Ge, Le, Measure, MinLen, Schema, Table, Time, Unit
from statcommons.core.seed import rng
from statcommons.prices.clean.rows import as_table
from statcommons.prices.clean.sizes import normalised, spelled

if TYPE_CHECKING:
    from statcommons.prices.clean.learning import Quality

__all__ = [
    "Classified",
    "Confusions",
    "Corrections",
    "Evaluation",
    "LabelledNames",
    "NewNames",
    "Predictions",
    "Queue",
    "classify",
]

ALL = "_T"  # SDMX's code for a total


class LabelledNames(Schema):
    """Names of products whose class is known; they may repeat, as in sales."""

    description: Annotated[str, Dimension, MinLen(1), "Name of the product, as the retailer writes it"]
    group: Annotated[str, Measure, "Code of the class, such as 01.1.4.1"]
    classification: Annotated[str, Attribute, "Code list and version of the class, such as COICOP_2018 or ECOICOP_V2"]
    turnover: Annotated[float | None, Measure(decimals=2), Unit("currency"), Ge(0), "Turnover of the product"] = None
    labelled_by: Annotated[str | None, Attribute, "Who gave the label: office, retailer or a clerk's code"] = None
    labelled_on: Annotated[datetime.date | None, Attribute, "Day on which the label was given"] = None


class NewNames(Schema):
    """Names of products whose class is sought; they may repeat, as in sales."""

    description: Annotated[str, Dimension, MinLen(1), "Name of the product, as the retailer writes it"]
    turnover: Annotated[float | None, Measure(decimals=2), Unit("currency"), Ge(0), "Turnover of the product"] = None


class Corrections(Schema):
    """What clerks have decided about names; the latest decision counts, over every label."""

    description: Annotated[str, Dimension, MinLen(1), "Name of the product, as the retailer writes it"]
    group: Annotated[str, Measure, "Code of the class"]
    classification: Annotated[str, Attribute, "Code list and version of the class"]
    clerk: Annotated[str, Attribute, "Code of the clerk who decided"]
    time: Annotated[datetime.date, Time, "Day of the decision"]


class Predictions(Schema, key=("description",)):
    """The class of each name, with what it rests upon."""

    description: Annotated[str, Dimension, "Name of the product"]
    group: Annotated[str, Measure, "Code of the class"]
    classification: Annotated[str, Attribute, "Code list and version of the class"]
    basis: Annotated[Literal["clerk", "label", "model"], Attribute, "Who says so; a model only where nobody else does"]
    score: Annotated[float | None, Measure(decimals=3), Unit("probability"), Ge(0), Le(1), "How sure the model is"]
    second: Annotated[str | None, Attribute, "The model's second choice"]
    second_score: Annotated[float | None, Measure(decimals=3), Unit("probability"), Ge(0), Le(1), "Its score"]
    third: Annotated[str | None, Attribute, "The model's third choice"]
    third_score: Annotated[float | None, Measure(decimals=3), Unit("probability"), Ge(0), Le(1), "Its score"]
    to_clerk: Annotated[bool, Attribute, "Whether a clerk shall decide before it is used"]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency"), Ge(0), "Turnover of the product"]
    labelled_by: Annotated[str | None, Attribute, "Who gave the label"]
    labelled_on: Annotated[datetime.date | None, Attribute, "Day on which the label was given"]


class Queue(Schema, key=("place",)):
    """What a clerk shall decide, what matters most first."""

    place: Annotated[int, Dimension, Ge(1), "Place in the queue, by turnover"]
    description: Annotated[str, Attribute, "Name of the product"]
    reason: Annotated[Literal["low score", "no word known", "labels disagree"], Attribute, "Why it is here"]
    first: Annotated[str, Attribute, "The model's first choice"]
    first_score: Annotated[float, Measure(decimals=3), Unit("probability"), Ge(0), Le(1), "Its score"]
    second: Annotated[str | None, Attribute, "The model's second choice"]
    second_score: Annotated[float | None, Measure(decimals=3), Unit("probability"), Ge(0), Le(1), "Its score"]
    third: Annotated[str | None, Attribute, "The model's third choice"]
    third_score: Annotated[float | None, Measure(decimals=3), Unit("probability"), Ge(0), Le(1), "Its score"]
    classification: Annotated[str, Attribute, "Code list and version of the classes"]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency"), Ge(0), "Turnover of the product"]


class Evaluation(Schema, key=("group",)):
    """How well names are classified that the model has not seen: one row a class, and _T for all."""

    group: Annotated[str, Dimension, "Code of the class; _T for all names"]
    names: Annotated[int, Measure, Unit("names"), Ge(1), "Different labelled names"]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency"), Ge(0), "Their turnover"]
    accuracy: Annotated[float, Measure(decimals=3), Unit("share"), "Names put into their class (of a class: recall)"]
    turnover_accuracy: Annotated[float | None, Measure(decimals=3), Unit("share"), "The same by turnover"]
    precision: Annotated[
        float | None, Measure(decimals=3), Unit("share"), "Names put into the class that belong there; _T: mean"
    ]
    f1: Annotated[float, Measure(decimals=3), "Harmonic mean of recall and precision; _T: mean of the classes (macro)"]
    automatic: Annotated[float, Measure(decimals=3), Unit("share"), "Names whose score reaches the threshold"]
    automatic_accuracy: Annotated[float | None, Measure(decimals=3), Unit("share"), "Those of them put rightly"]


class Confusions(Schema, key=("group", "predicted")):
    """Which classes are taken for which, by turnover."""

    group: Annotated[str, Dimension, "The true class"]
    predicted: Annotated[str, Dimension, "The class that the model gives"]
    names: Annotated[int, Measure, Unit("names"), Ge(1), "How many names"]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency"), Ge(0), "Their turnover"]
    example: Annotated[str, Attribute, "The name with the largest turnover among them"]


@dataclass(frozen=True)
class Classified:
    """Predictions, the clerk's queue, and how good they are."""

    result: Table[Predictions]
    queue: Table[Queue]
    evaluation: Table[Evaluation]
    confusions: Table[Confusions]


class Label(NamedTuple):
    """What is known of a name."""

    group: str
    basis: str
    by: str | None
    on: datetime.date | None


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.2",
    references=[
        "UN Task Team on Scanner Data, e-handbook CPI from new data sources, classification",
        "Guo, Pleiss, Sun, Weinberger (2017), On Calibration of Modern Neural Networks, ICML",
    ],
)
def classify(
    labelled: Table[LabelledNames],
    items: Table[NewNames],
    corrections: Table[Corrections] | None = None,
    *,
    model: Annotated[Literal["svm", "logistic"], "The linear classifier"] = "svm",
    threshold: Annotated[float, Ge(0), Le(1), Unit("probability")] = 0.8,
    folds: Annotated[int, Ge(2), Le(20), Unit("folds")] = 5,
) -> Classified:
    """Classify products by their names, and say how far to trust it.

    A linear model learns from pieces of words. What has a label keeps it; what has none gets the model's class with a
    score, and goes to a clerk where the score is low or no word is known. What clerks decide comes back as corrections,
    from which the next run learns. The evaluation classifies each name by a model that has not seen it: names are
    split, never rows, since the same name is sold every month. Read the accuracy by turnover, which reaches the index.

    Parameters
    ----------
    labelled : LabelledNames
        Names with their classes. A name with two classes teaches nothing, and goes to the clerk.
    items : NewNames
        Names to classify.
    corrections : Corrections, optional
        Decisions of clerks, over the labels.
    model : {"svm", "logistic"}
        Support vector machine or logistic regression.
    threshold : float
        The lowest score that needs no clerk. Scores are calibrated: of names with 0.8, four in five are right.
    folds : int
        Parts in which the names are split for the evaluation; each is judged by a model of the others.

    Returns
    -------
    result : Predictions
        One row a name of the items.
    queue : Queue
        Those for a clerk, the largest turnover first.
    evaluation : Evaluation
        Quality by class and in all.
    confusions : Confusions
        What was taken for what.

    Raises
    ------
    BadData
        When labels are of different classifications, of one class only, or fewer than folds.
    ExtraMissing
        When scikit-learn is not installed.

    Examples
    --------
    >>> known = ["milk uht 1l", "milk fresh 1l", "milk goat 0,5l", "rice white 1kg", "rice brown 1kg", "rice basmati"]
    >>> labels = {"description": known, "group": ["01.1.4"] * 3 + ["01.1.1"] * 3, "classification": ["COICOP_2018"] * 6}
    >>> made = classify(labels, {"description": ["milk oat 1 l", "rice white 1kg"]}, folds=3)
    >>> made.result.select("description", "group", "basis").to_pyarrow().to_pylist()
    [{'description': 'milk oat 1 l', 'group': '01.1.4', 'basis': 'model'}, {'description': 'rice white 1kg', \
'group': '01.1.1', 'basis': 'label'}]
    """
    import numpy as np

    from statcommons.prices.clean.learning import learn

    known, disputed, turnover, classification = _labels(labelled, corrections)
    sought = _with_turnover(items)
    names = sorted(known)
    if disputed:
        notice(f"Two labels on {counted(len(disputed), 'name')}: that teaches nothing, and waits for a clerk.")
    learnt, quality = learn(names, [known[name].group for name in names], model, folds, rng())
    weight = np.array([turnover.get(name, 0.0) for name in names])

    unknown = sorted({normalised(row["description"]) for row in sought} - set(known))
    scores = learnt.scores(unknown) if unknown else np.empty((0, len(learnt.classes)))
    # Among equal scores the class that sorts first, on every machine.
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    choices = {
        name: [(str(learnt.classes[k]), float(row[k])) for k in best]
        for name, row, best in zip(unknown, scores, ranked, strict=True)
    }
    # A model knows no class but its own: what shares no word with any labelled name may be something else altogether.
    words = {word for name in names for word in spelled(name).split()}
    strange = {name for name in unknown if not words & set(spelled(name).split())}
    doubts = dict.fromkeys((name for name in unknown if choices[name][0][1] < threshold), "low score")
    doubts |= dict.fromkeys(strange, "no word known") | dict.fromkeys(disputed, "labels disagree")
    predictions = [_predicted(row, known, choices, doubts) for row in sought]
    waiting = [row for row in predictions if row["to_clerk"]]
    waiting.sort(key=lambda row: (-row["turnover"], row["description"]))
    queue = [
        row | {"place": place, "first": row["group"], "first_score": row["score"]}
        for place, row in enumerate(waiting, 1)
    ]
    evaluation = _evaluation(quality, weight, threshold)
    _measured(evaluation[-1], quality, predictions)
    return Classified(
        result=as_table([row | {"classification": classification} for row in predictions], Predictions),
        queue=as_table([row | {"classification": classification} for row in queue], Queue),
        evaluation=as_table(evaluation, Evaluation),
        confusions=as_table(_confusions(quality, names, weight), Confusions),
    )


def _with_turnover(table: Any, *keys: str) -> list[dict[str, Any]]:
    """Collect the different names, with what else tells them apart and their turnover, sorted."""
    turnover = table.turnover.fill_null(0.0)
    sums = table.group_by(["description", *keys]).agg(turnover=total(turnover, 2))
    rows = current().collect(sums, "Collect the names").to_pylist()
    return sorted(rows, key=lambda row: tuple((row[key] is not None, row[key] or "") for key in ("description", *keys)))


def _labels(labelled: Any, corrections: Any) -> tuple[dict[str, Label], set[str], dict[str, float], str]:
    """Settle the labels of each name: those that hold, names in dispute, turnover, and the classification."""
    rows = _with_turnover(labelled, "group", "classification", "labelled_by", "labelled_on")
    decided = current().collect(corrections, "Collect corrections").to_pylist() if corrections is not None else []
    versions = sorted({row["classification"] for row in [*rows, *decided]})
    if len(versions) > 1:
        raise BadData(
            f"The classes are of different classifications: {', '.join(versions)}.",
            remedy="Bring all labels to one version by its correspondence table.",
        )
    said: dict[str, list[Label]] = {}
    parts: dict[str, list[float]] = {}
    for row in rows:
        name = normalised(row["description"])
        said.setdefault(name, []).append(Label(row["group"], "label", row["labelled_by"], row["labelled_on"]))
        parts.setdefault(name, []).append(row["turnover"])
    corrected: dict[str, list[Label]] = {}
    for row in decided:
        name = normalised(row["description"])
        corrected.setdefault(name, []).append(Label(row["group"], "clerk", row["clerk"], row["time"]))
    for name, labels in corrected.items():
        last = max(label.on for label in labels if label.on)
        said[name] = [label for label in labels if label.on == last]
    disputed = {name for name, labels in said.items() if len({label.group for label in labels}) > 1}
    known = {name: _latest(labels) for name, labels in said.items() if name not in disputed}
    return known, disputed, {name: math.fsum(one) for name, one in parts.items()}, versions[0]


def _latest(labels: Iterable[Label]) -> Label:
    """Give the label that was given last; those without a day are older than all, and equal days go by who."""
    return max(labels, key=lambda label: (label.on or datetime.date.min, label.by or ""))


def _predicted(
    row: dict[str, Any],
    known: dict[str, Label],
    choices: dict[str, list[tuple[str, float]]],
    doubts: dict[str, str],
) -> dict[str, Any]:
    name = normalised(row["description"])
    made: dict[str, Any] = {"description": row["description"], "turnover": row["turnover"], "to_clerk": False}
    if name in known:
        label = known[name]
        return made | {"group": label.group, "basis": label.basis, "labelled_by": label.by, "labelled_on": label.on}
    (group, score), *rest = choices[name]
    made |= {"group": group, "score": score, "basis": "model", "to_clerk": name in doubts, "reason": doubts.get(name)}
    for place, (other, its_score) in zip(("second", "third"), rest, strict=False):
        made |= {place: other, f"{place}_score": its_score}
    return made


def _evaluation(quality: Quality, weight: Any, threshold: float) -> list[dict[str, Any]]:
    """Write the quality of each class, and of all at the end."""
    import numpy as np

    from statcommons.prices.clean.learning import judge

    right, sure = quality.truth == quality.predicted, quality.score >= threshold
    found = judge(quality.truth, quality.predicted, weight, len(quality.classes))
    rows = []
    for k, name in enumerate([*quality.classes, ALL]):
        of = np.ones(len(right), bool) if name == ALL else quality.truth == k
        automatic, turnover = of & sure, math.fsum(weight[of])
        row: dict[str, Any] = {
            "group": str(name),
            "names": int(of.sum()),
            "turnover": turnover,
            "accuracy": float(right[of].mean()),
            "turnover_accuracy": math.fsum(weight[of & right]) / turnover if turnover else None,
            "automatic": float(sure[of].mean()),
            "automatic_accuracy": float(right[automatic].mean()) if automatic.any() else None,
        }
        if name == ALL:
            row |= {"precision": float(np.nanmean(found["precision"])), "f1": float(found["f1"].mean())}
        else:
            precision = float(found["precision"][k])
            row |= {"precision": None if math.isnan(precision) else precision, "f1": float(found["f1"][k])}
        rows.append(row)
    return rows


def _confusions(quality: Quality, names: list[str], weight: Any) -> list[dict[str, Any]]:
    cells: dict[tuple[int, int], list[int]] = {}
    for row, pair in enumerate(zip(quality.truth.tolist(), quality.predicted.tolist(), strict=True)):
        if pair[0] != pair[1]:
            cells.setdefault(pair, []).append(row)
    made = [
        {
            "group": str(quality.classes[truth]),
            "predicted": str(quality.classes[predicted]),
            "names": len(rows),
            "turnover": math.fsum(weight[rows]),
            "example": names[min(rows, key=lambda row: (-weight[row], names[row]))],
        }
        for (truth, predicted), rows in cells.items()
    ]
    return sorted(made, key=lambda row: (-row["turnover"], -row["names"], row["group"], row["predicted"]))


def _measured(whole: dict[str, Any], quality: Quality, predictions: list[dict[str, Any]]) -> None:
    import numpy as np

    accuracy = "NQAF 14 accuracy"
    measure("Names classified rightly, unseen", whole["accuracy"], unit="share", indicator=accuracy)
    if whole["turnover_accuracy"] is not None:
        measure("The same by turnover", whole["turnover_accuracy"], unit="share", indicator=accuracy)
    measure("Macro F1", whole["f1"], indicator=accuracy)
    largest = np.bincount(quality.truth).max() / len(quality.truth)
    measure("Names that the largest class alone would classify rightly", float(largest), unit="share")
    measure("Mean score less the share of names that are right", float(quality.score.mean()) - whole["accuracy"])
    by_clerk = sum(row["to_clerk"] for row in predictions) / len(predictions)
    measure("Items for a clerk", by_clerk, unit="share")
    single = int((np.bincount(quality.truth) == 1).sum())
    if single:
        notice(f"Classes of one name only: {single}. Unseen, such a name cannot be classified rightly.")

"""Classification by names: labels, corrections, the clerk's queue and what is told of them."""

import datetime
import random

import pytest

from statcommons.core.errors import BadData
from statcommons.core.quality import collecting
from statcommons.core.seed import seeded
from statcommons.prices.clean.classify import classify

KINDS = {
    "01.1.4": ["milk uht", "milk fresh", "milk goat", "milk oat"],
    "01.1.1": ["rice white", "rice brown", "rice wild"],
}
KNOWN = [(f"{name} {brand}", group) for group, names in KINDS.items() for name in names for brand in ("abc", "def")]


def labels(rows=KNOWN, version="COICOP_2018", **more):
    return {
        "description": [name for name, _ in rows],
        "group": [group for _, group in rows],
        "classification": [version] * len(rows),
        **more,
    }


def corrections(*rows, version="COICOP_2018"):
    name, group, clerk, day = zip(*rows, strict=True)
    return {
        "description": list(name),
        "group": list(group),
        "classification": [version] * len(rows),
        "clerk": list(clerk),
        "time": [datetime.date(2026, 1, one) for one in day],
    }


def rows(table):
    return table.to_pyarrow().to_pylist()


def by_name(table):
    return {row["description"]: row for row in rows(table)}


def test_labels_stand_however_they_are_spelled_and_say_whose_they_are():
    told = labels(labelled_by=["retailer 7"] * 14, labelled_on=[datetime.date(2025, 12, 1)] * 14)
    made = by_name(classify(told, {"description": ["  MILK uht   abc", "milk soy abc"]}).result)
    label, guess = made["  MILK uht   abc"], made["milk soy abc"]
    assert (label["group"], label["basis"], label["score"], label["to_clerk"]) == ("01.1.4", "label", None, False)
    assert (label["labelled_by"], label["labelled_on"]) == ("retailer 7", datetime.date(2025, 12, 1))
    assert (guess["group"], guess["basis"], guess["labelled_by"]) == ("01.1.4", "model", None)
    assert {row["classification"] for row in made.values()} == {"COICOP_2018"}


def test_the_three_best_are_named_in_order_and_their_scores_are_probabilities():
    made = classify(labels([*KNOWN, ("tea green", "01.2.1"), ("tea black", "01.2.1")]), {"description": ["milk tea"]})
    (row,) = rows(made.result)
    assert {row["group"], row["second"], row["third"]} == {"01.1.4", "01.1.1", "01.2.1"}
    assert row["score"] >= row["second_score"] >= row["third_score"] > 0
    assert row["score"] + row["second_score"] + row["third_score"] == pytest.approx(1, rel=1e-12)


def test_the_queue_holds_what_is_below_the_threshold_by_turnover():
    names = ["milk rice abc", "rice milk def", "milk soy abc"]
    items = {"description": [*names, names[0]], "turnover": [1.0, 5.0, 3.0, 9.0]}
    made = classify(labels(), items, threshold=1.0)
    queue = rows(made.queue)
    assert [(row["place"], row["description"], row["turnover"]) for row in queue] == [
        (1, "milk rice abc", 10.0),
        (2, "rice milk def", 5.0),
        (3, "milk soy abc", 3.0),
    ]
    assert {row["reason"] for row in queue} == {"low score"}
    made = classify(labels(), items, threshold=0.0)
    assert rows(made.queue) == []
    assert not any(row["to_clerk"] for row in rows(made.result))


def test_a_score_that_reaches_the_threshold_needs_no_clerk():
    (row,) = rows(classify(labels(), {"description": ["milk soy"]}).result)
    assert rows(classify(labels(), {"description": ["milk soy"]}, threshold=row["score"]).queue) == []


def test_of_equal_labels_the_latest_is_named_however_its_name_is_spelled():
    told = [*KNOWN, ("Milk  UHT abc", "01.1.4"), ("milk uht ABC", "01.1.4")]
    days = [None] * 14 + [datetime.date(2026, 1, 7), datetime.date(2025, 1, 7)]
    given = labels(told, labelled_by=[None] * 14 + ["late", "early"], labelled_on=days)
    made = classify(given, {"description": ["milk uht abc"]})
    (row,) = rows(made.result)
    assert (row["labelled_by"], row["labelled_on"]) == ("late", datetime.date(2026, 1, 7))
    assert rows(made.evaluation)[-1]["names"] == 14


def test_a_name_of_strange_words_goes_to_the_clerk_however_sure_the_model_is():
    made = classify(labels(), {"description": ["ricewhites 1kg", "rice pudding"]}, threshold=0.0)
    assert [(row["description"], row["reason"]) for row in rows(made.queue)] == [("ricewhites 1kg", "no word known")]


def test_two_labels_of_a_name_teach_nothing_and_go_to_the_clerk():
    with collecting() as found:
        made = classify(labels([*KNOWN, ("milk uht abc", "01.1.1")]), {"description": ["milk uht abc"]}, threshold=0.0)
    assert [(row["description"], row["reason"]) for row in rows(made.queue)] == [("milk uht abc", "labels disagree")]
    assert rows(made.evaluation)[-1]["names"] == 13
    assert any(text.startswith("Two labels on 1 name:") for text in found.notices)


def test_the_clerks_latest_decision_counts_over_labels_and_teaches():
    settled = corrections(
        ("milk uht abc", "01.1.1", "A", 2),
        ("milk uht abc", "01.1.4", "B", 9),
        ("quinoa one", "01.1.1", "A", 3),
        ("quinoa two", "01.1.1", "A", 3),
    )
    disputed = labels([*KNOWN, ("milk uht abc", "01.1.1")])
    items = {"description": ["milk uht abc", "quinoa three", "quinoa one"]}
    with collecting():
        made = by_name(classify(disputed, items, settled).result)
        before = by_name(classify(disputed, items).result)["quinoa three"]
    assert (made["milk uht abc"]["group"], made["milk uht abc"]["basis"]) == ("01.1.4", "clerk")
    assert (made["milk uht abc"]["labelled_by"], made["milk uht abc"]["labelled_on"].day) == ("B", 9)
    assert made["quinoa one"]["basis"] == "clerk"
    assert made["quinoa three"]["group"] == "01.1.1"
    assert made["quinoa three"]["score"] > (before["score"] if before["group"] == "01.1.1" else before["second_score"])


def test_clerks_who_disagree_on_one_day_settle_nothing():
    both = corrections(("milk uht abc", "01.1.1", "A", 2), ("milk uht abc", "01.1.4", "B", 2))
    with collecting():
        made = classify(labels(), {"description": ["milk uht abc"]}, both)
    assert [row["reason"] for row in rows(made.queue)] == ["labels disagree"]


def test_the_evaluation_adds_up_and_weighs_by_turnover():
    weight = [float(1 + place) for place in range(14)]
    swapped = [*KNOWN[:-1], ("rice milk goat", "01.1.1")]
    made = classify(labels(swapped, turnover=weight), {"description": ["milk"]}, threshold=0.6)
    *classes, whole = rows(made.evaluation)
    confused = rows(made.confusions)
    assert whole["group"] == "_T"
    assert whole["names"] == sum(row["names"] for row in classes) == 14
    assert whole["turnover"] == sum(weight)
    wrong, lost = sum(row["names"] for row in confused), sum(row["turnover"] for row in confused)
    assert wrong > 0
    assert whole["accuracy"] == pytest.approx(1 - wrong / 14, rel=1e-12)
    assert whole["turnover_accuracy"] == pytest.approx(1 - lost / sum(weight), rel=1e-12)
    assert whole["f1"] == pytest.approx(sum(row["f1"] for row in classes) / 2, rel=1e-12)
    for row in confused:
        assert row["example"] in dict(swapped)
        assert dict(swapped)[row["example"]] == row["group"] != row["predicted"]


def test_without_turnover_there_is_no_accuracy_by_turnover():
    made = classify(labels(), {"description": ["milk"]})
    assert rows(made.evaluation)[-1]["turnover_accuracy"] is None


def test_rows_that_repeat_and_their_order_change_nothing():
    sales = KNOWN * 30
    random.Random(1).shuffle(sales)
    items = {"description": ["milk soy", "rice wild zz"]}
    with seeded(3):
        once, often = classify(labels(), items), classify(labels(sales), items)
    assert rows(once.result) == rows(often.result)
    assert rows(once.evaluation) == rows(often.evaluation)


def test_versions_of_a_classification_are_not_mixed():
    mixed = labels()
    mixed["classification"][3] = "ECOICOP_V1"
    with pytest.raises(BadData, match="COICOP_2018, ECOICOP_V1"):
        classify(mixed, {"description": ["milk"]})
    with pytest.raises(BadData, match="different classifications"):
        classify(labels(), {"description": ["milk"]}, corrections(("milk", "01.1.4", "A", 1), version="ECOICOP_V1"))


def test_items_that_are_all_known_need_no_model():
    made = classify(labels(), {"description": ["milk uht abc"]})
    assert [row["basis"] for row in rows(made.result)] == ["label"]
    assert rows(made.queue) == []


def test_a_class_of_one_name_is_told_of():
    with collecting() as found:
        classify(labels([*KNOWN, ("tea green", "01.2.1")]), {"description": ["milk"]})
    assert any(text.startswith("Classes of one name only: 1.") for text in found.notices)
    measured = {one.name: one.value for one in found.measures}
    assert measured["Names that the largest class alone would classify rightly"] == pytest.approx(8 / 15)

"""The audit finds what spoils training or flatters scores, names the rows, and is quiet about the rest."""

import json
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsacts.data.audit import (
    ACROSS,
    CONFLICT,
    CUT_GROUP,
    DOUBTFUL,
    NEAR_ACROSS,
    NEAR_SHARED,
    NEAR_WITHIN,
    SHARED,
    TINY,
    WITHIN,
    AuditOptions,
    AuditReport,
    Finding,
    audit,
)
from newsacts.data.audit_rows import BAD_ROW, UNKNOWN_LABEL, read_audit_rows
from newsacts.data.loaders import ColumnMap
from newsacts.data.model_check import find_doubtful_labels, select_doubtful
from newsacts.data.near_duplicates import find_near_duplicates
from newsacts.data.statistics import count_parts
from newsacts.errors import DataError, UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme

DENIAL = "The harbour board denied on Monday that it had hidden the report about the flood."
NEARLY = "The harbour board denied on Tuesday that it had hidden the report about the flood."
FERRY = "The ferry to the island runs twice a day in winter."
NEARLY_FERRY = FERRY.replace("winter", "autumn")
FINE = "The court fined the port company for the spill last year."


def row(text: str, *labels: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "labels": list(labels), **more}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows), encoding="utf-8")
    return path


def of_kind(report: AuditReport, kind: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.kind == kind]


def places(report: AuditReport, kind: str) -> list[tuple[str, ...]]:
    return [finding.places for finding in of_kind(report, kind)]


def test_clean_data_has_no_findings(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", row(DENIAL, "denial", group="a"), row(FERRY, group="a"))
    report = audit([train, write(tmp_path / "dev.jsonl", row(FINE, "sanction", group="b"))], DEFAULT_SCHEME)
    assert report.findings == []
    assert report.rows == 3


def test_bad_rows_and_unknown_labels_are_told_apart_and_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(DENIAL, "denail"), row(" "), {"text": FERRY}, row(FINE, "sanction"))
    report = audit([path], DEFAULT_SCHEME)
    assert places(report, UNKNOWN_LABEL) == [("a.jsonl row 1",)]
    assert places(report, BAD_ROW) == [("a.jsonl row 2",), ("a.jsonl row 3",)]
    assert "did you mean 'denial'" in of_kind(report, UNKNOWN_LABEL)[0].detail


def test_texts_equal_but_for_case_and_punctuation_are_found_within_a_split(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(DENIAL, "denial"), row(FERRY), row(DENIAL.lower().strip("."), "denial"))
    report = audit([path], DEFAULT_SCHEME)
    assert places(report, WITHIN) == [("a.jsonl row 1", "a.jsonl row 3")]
    assert report.faults == []


def test_a_repeated_text_without_an_id_is_a_duplicate_and_no_bad_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(DENIAL, "denial"), row(DENIAL, "denial"))
    assert audit([path], DEFAULT_SCHEME).count() == {WITHIN: 1}


def test_a_repeated_id_is_a_bad_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(DENIAL, "denial", id="1"), row(FERRY, id="1"))
    assert places(audit([path], DEFAULT_SCHEME), BAD_ROW) == [("a.jsonl row 2",)]


def test_a_text_in_two_files_without_splits_is_a_leak(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, row(DENIAL, "denial")) for name in ("train.jsonl", "test.jsonl")]
    assert places(audit(paths, DEFAULT_SCHEME), ACROSS) == [("train.jsonl row 1", "test.jsonl row 1")]


def test_splits_named_in_the_rows_count_and_not_the_files(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", row(DENIAL, "denial", split="train"), row(FERRY, split="dev"))
    two = write(tmp_path / "two.jsonl", row(DENIAL, "denial", split="train"), row(FERRY, split="train"))
    report = audit([one, two], DEFAULT_SCHEME)
    assert places(report, WITHIN) == [("one.jsonl row 1", "two.jsonl row 1")]
    assert places(report, ACROSS) == [("one.jsonl row 2", "two.jsonl row 2")]


def test_equal_texts_with_different_labels_are_a_conflict_and_their_order_is_none(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        row(DENIAL, "denial"),
        row(DENIAL, "denial", "accusation"),
        row(FINE, "sanction", "regret"),
        row(FINE, "regret", "sanction"),
    )
    conflicts = of_kind(audit([path], DEFAULT_SCHEME), CONFLICT)
    assert [finding.places for finding in conflicts] == [("a.jsonl row 1", "a.jsonl row 2")]
    assert conflicts[0].detail.startswith("denial / accusation|denial: ")


def test_a_group_in_two_splits_is_a_fault(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl", row(DENIAL, "denial", group="g", split="train"), row(FERRY, group="g", split="dev")
    )
    assert places(audit([path], DEFAULT_SCHEME), CUT_GROUP) == [("a.jsonl row 1", "a.jsonl row 2")]


def test_near_duplicates_are_found_within_and_across_and_differing_labels_are_named(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", row(DENIAL, "denial"), row(FERRY), row(NEARLY_FERRY))
    report = audit([train, write(tmp_path / "dev.jsonl", row(NEARLY))], DEFAULT_SCHEME, options=AuditOptions(near=0.6))
    assert places(report, NEAR_ACROSS) == [("train.jsonl row 1", "dev.jsonl row 1")]
    assert places(report, NEAR_WITHIN) == [("train.jsonl row 2", "train.jsonl row 3")]
    assert "labels differ (denial / none)" in of_kind(report, NEAR_ACROSS)[0].detail
    assert report.faults == []


def test_texts_shared_with_a_benchmark_are_counted_on_both_sides(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", row(DENIAL, "denial"), row(DENIAL.upper(), "denial"), row(FERRY))
    benchmark = tmp_path / "bench.tsv"
    benchmark.write_text(
        f"uid\tsentence\n1\t{DENIAL}\n2\t{DENIAL}\n3\t{NEARLY_FERRY}\n4\t{NEARLY}\n5\t\n", encoding="utf-8"
    )
    report = audit([train], DEFAULT_SCHEME, benchmarks=[benchmark], options=AuditOptions(near=0.6))
    counts = report.shared[0]
    assert (counts.texts, counts.rows_here, counts.rows_there, counts.unread) == (1, 2, 2, 1)
    assert places(report, SHARED) == [("train.jsonl row 1", "train.jsonl row 2")]
    assert of_kind(report, SHARED)[0].detail.startswith("bench.tsv row 2, 3: ")
    near = of_kind(report, NEAR_SHARED)
    assert [(finding.places, finding.detail[:20]) for finding in near] == [
        (("train.jsonl row 3",), "0.80 bench.tsv row 4")
    ]


def test_rows_of_three_words_or_fewer_are_tiny(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row("Ferry runs late"), row("Ferry runs late again"))
    assert places(audit([path], DEFAULT_SCHEME), TINY) == [("a.jsonl row 1",)]


def test_a_table_without_header_is_read_by_column_numbers_with_any_label(tmp_path: Path) -> None:
    train, test = tmp_path / "train.tsv", tmp_path / "test.tsv"
    train.write_text(f'{DENIAL}\t0\n{FERRY}\t1\n"{FINE}"\t1\n', encoding="utf-8")
    test.write_text(f"{FINE}\t0\n", encoding="utf-8")
    options = AuditOptions(columns=ColumnMap("1", "2"))
    report = audit([train, test], None, options=options)
    assert places(report, ACROSS) == places(report, CONFLICT) == [("train.tsv row 3", "test.tsv row 1")]
    assert [part.labels for part in report.parts] == [{"0": 1, "1": 2}, {"0": 1, "1": 0}]


def test_a_table_without_header_is_held_to_the_labels_of_a_scheme(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(f"{DENIAL}\tdenial\n{FERRY}\tweather\n", encoding="utf-8")
    report = audit([path], DEFAULT_SCHEME, options=AuditOptions(columns=ColumnMap("1", "2")))
    assert places(report, UNKNOWN_LABEL) == [("a.tsv row 2",)]


def test_an_exclusive_scheme_refuses_rows_without_a_label(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(DENIAL, "blame"), row(FERRY))
    report = audit([path], LabelScheme(("praise", "blame"), exclusive=True))
    assert places(report, BAD_ROW) == [("a.jsonl row 2",)]


def test_any_label_reads_rows_that_have_none_at_all(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": FERRY}, {"text": FERRY})
    assert audit([path], None).count() == {WITHIN: 1}


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        (ColumnMap("txet"), DataError, "no column 'txet'.*give the number"),
        (ColumnMap("9"), DataError, "no column '9'"),
    ],
)
def test_a_column_that_is_not_there_is_named(
    tmp_path: Path, columns: ColumnMap, error: type[Exception], message: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"text,labels\n{FERRY},\n", encoding="utf-8")
    with pytest.raises(error, match=message):
        audit([path], DEFAULT_SCHEME, options=AuditOptions(columns=columns))


def test_a_benchmark_without_a_known_text_column_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(FERRY))
    with pytest.raises(DataError, match="no column text or sentence, got 'body'"):
        audit([path], DEFAULT_SCHEME, benchmarks=[write(tmp_path / "b.jsonl", {"body": FERRY})])


def test_column_numbers_are_for_csv_and_tsv_only(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(FERRY))
    with pytest.raises(UsageError, match="numbered only"):
        read_audit_rows(path, None, ColumnMap("1"))


def test_no_files_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="at least one file"):
        audit([], DEFAULT_SCHEME)


def test_statistics_count_each_split(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        row(DENIAL, "denial", "accusation", group="g", split="train"),
        row(FERRY, group="g", split="train"),
        row("No.", "denial", split="dev"),
    )
    rows, _ = read_audit_rows(path, DEFAULT_SCHEME, ColumnMap())
    train, dev = count_parts(rows, DEFAULT_SCHEME.names)
    assert train.labels == {"accusation": 1, "denial": 1, "regret": 0, "sanction": 0}
    assert (train.rows, train.groups, train.unlabelled, train.several, train.tiny) == (2, 1, 1, 1, 0)
    assert (dev.part, dev.rows, dev.tiny) == ("dev", 1, 1)


vocabulary = st.sampled_from(["ferry", "board", "report", "flood", "port", "mayor", "winter", "court"])
texts = st.lists(vocabulary, min_size=5, max_size=9).map(" ".join)


@settings(max_examples=30)
@given(st.lists(texts, min_size=2, max_size=8, unique=True))
def test_every_near_pair_has_the_similarity_it_claims_and_equal_gram_sets_are_always_found(keys: list[str]) -> None:
    def grams(key: str) -> set[tuple[str, ...]]:
        parts = key.split()
        return {tuple(parts[start : start + 3]) for start in range(len(parts) - 2)}

    def similarity(one: str, other: str) -> float:
        return len(grams(one) & grams(other)) / len(grams(one) | grams(other))

    pairs = find_near_duplicates(keys, threshold=0.5)
    assert all(pair.similarity == similarity(pair.first, pair.second) >= 0.5 for pair in pairs)
    alike = {(one, other) for one, other in combinations(keys, 2) if similarity(one, other) == 1}
    assert alike <= {(pair.first, pair.second) for pair in pairs}


def test_texts_too_short_for_n_grams_are_never_near() -> None:
    assert find_near_duplicates(["the ferry runs late", "the ferry runs late again"], threshold=0.1) == []


@pytest.mark.parametrize("options", [{"threshold": 0.0}, {"threshold": 1.1}, {"words": 0}])
def test_senseless_settings_of_the_search_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        find_near_duplicates([DENIAL], **options)


def test_a_missing_datasketch_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(UsageError, match=r"newsacts\[audit\].*--no-near"):
        find_near_duplicates([DENIAL, NEARLY])


def test_without_the_search_datasketch_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    report = audit(
        [write(tmp_path / "a.jsonl", row(DENIAL), row(NEARLY))], DEFAULT_SCHEME, options=AuditOptions(near=None)
    )
    assert report.findings == []


def make_learnable(wrong: int) -> list[dict[str, Any]]:
    """Sixty sentences in which a denial is plain to see; the one at `wrong` is labelled against its words."""
    places = [f"quay {number} of {'north' if number % 2 else 'south'} harbour" for number in range(60)]
    rows = [
        row(f"The board denied the claim about {place}.", "denial")
        if number % 3 == 0
        else row(f"The ferry left {place} on time.")
        for number, place in enumerate(places)
    ]
    rows[wrong]["labels"] = [] if rows[wrong]["labels"] else ["denial"]
    return rows


@pytest.mark.parametrize(("wrong", "word"), [(30, "lacks denial"), (31, "has denial")])
def test_the_model_check_lists_a_label_against_the_words_first(tmp_path: Path, wrong: int, word: str) -> None:
    path = write(tmp_path / "a.jsonl", *make_learnable(wrong))
    options = AuditOptions(near=None, model_check=True)
    found = of_kind(audit([path], DEFAULT_SCHEME, options=options), DOUBTFUL)
    assert found[0].places == (f"a.jsonl row {wrong + 1}",)
    assert found[0].detail.startswith(word)


def test_no_row_is_judged_by_a_model_that_saw_its_group_or_its_text(tmp_path: Path) -> None:
    # All denials are of one group: a model that never saw that group cannot know the word.
    rows = [{**one, "group": "g" if one["labels"] else str(number)} for number, one in enumerate(make_learnable(31))]
    read, _ = read_audit_rows(write(tmp_path / "a.jsonl", *rows, *rows), DEFAULT_SCHEME, ColumnMap())
    doubts = find_doubtful_labels(read, DEFAULT_SCHEME.names)
    assert all(doubt.confidence < 0.5 for doubt in doubts)
    assert len({doubt.row.key for doubt in doubts}) == len(doubts)
    assert sum(doubt.carried for doubt in doubts) > 15


def test_labels_too_rare_to_be_learnt_are_refused_with_their_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", row(DENIAL, "denial"), row(FERRY))
    with pytest.raises(DataError, match="'denial': 1"):
        audit([path], DEFAULT_SCHEME, options=AuditOptions(near=None, model_check=True))


def test_a_label_is_doubtful_only_where_the_model_is_surer_than_usual() -> None:
    labels = np.array([True] * 5 + [False] * 5)
    #                    sure, a little below even, against; then sure, a little above even, against
    positive = np.array([0.95, 0.95, 0.95, 0.45, 0.04, 0.05, 0.05, 0.05, 0.55, 0.97])
    assert np.flatnonzero(select_doubtful(labels, positive)).tolist() == [4, 9]

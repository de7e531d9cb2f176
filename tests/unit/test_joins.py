"""Labels meet exactly the sentence they were read in, and whatever does not match is reported with its reason."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsacts.data.joins import (
    BAD_SPAN,
    CHANGED_TEXT,
    NO_DOCUMENT,
    NO_SENTENCE,
    join_labels,
    read_source_texts,
    read_standoff,
    select_dataset,
    write_examples,
    write_unjoined,
)
from newsacts.data.loaders import load_examples
from newsacts.data.raw_datasets import SourceText, repair_quotes
from newsacts.data.standoff import StandoffLabel, fold_space, format_standoff, hash_text, parse_standoff, strip_text
from newsacts.errors import DataError, UsageError
from newsacts.labels import DEFAULT_SCHEME

DENIAL = "The harbour board denied that it had hidden the report."
FERRY = "The ferry runs twice a day."
ARTICLE = f"{FERRY}  {DENIAL}\nThe mayor was not there."


def make_label(text: str = DENIAL, document: str | None = None, **changes: Any) -> StandoffLabel:
    whole = fold_space(text if document is None else document)
    start = whole.index(fold_space(text))
    values: dict[str, Any] = {
        "id": hash_text(text),
        "dataset": "isot",
        "document": hash_text(whole),
        "start": start,
        "end": start + len(fold_space(text)),
        "labels": ("denial",),
        "stratum": "random",
        "read": 1,
        "split": "train",
    }
    return StandoffLabel(**{**values, **changes})


def as_row(label: StandoffLabel, **changes: Any) -> dict[str, Any]:
    return {**json.loads(format_standoff(label)), **changes}


def write_rows(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


words = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "Cc"]), min_size=1, max_size=6)
sentences = st.lists(words, min_size=1, max_size=6).map(" ".join).filter(lambda text: fold_space(text) == text)
spaces = st.sampled_from([" ", "\n", " \t ", "\u00a0"])


@given(st.lists(st.lists(sentences, min_size=1, max_size=5), min_size=1, max_size=3), spaces, st.data())
def test_joining_is_the_inverse_of_making_stand_off_labels(
    articles: list[list[str]], space: str, data: st.DataObject
) -> None:
    labelled: dict[str, dict[str, Any]] = {}
    for article in articles:
        start = 0
        for text in article:
            labels = data.draw(st.lists(st.sampled_from(DEFAULT_SCHEME.names), unique=True))
            base = as_row(make_label(text), document=hash_text(" ".join(article)), start=start, end=start + len(text))
            if base["document"] != base["id"] or start == 0:
                labelled.setdefault(base["id"], {**base, "labels": labels, "text": text})
            start += len(text) + 1
    labels_only = [strip_text(row, DEFAULT_SCHEME, split="train") for row in labelled.values()]
    result = join_labels(labels_only, [SourceText(fold_space(space.join(article)), "here") for article in articles])
    assert not result.missing
    assert not result.mismatched
    assert {one.id: (one.text, list(one.labels)) for one in result.examples} == {
        row["id"]: (row["text"], row["labels"]) for row in labelled.values()
    }


def test_a_sentence_is_cut_out_of_its_document_whatever_its_white_space() -> None:
    label = make_label(DENIAL, ARTICLE)
    result = join_labels([label], [SourceText(fold_space(ARTICLE), "here")])
    assert [(one.text, one.group, one.split) for one in result.examples] == [(DENIAL, label.document, "train")]


def test_a_sentence_of_a_document_is_also_found_when_only_the_sentence_is_there() -> None:
    result = join_labels([make_label(DENIAL, ARTICLE)], [SourceText(DENIAL, "here", "any id")])
    assert [one.text for one in result.examples] == [DENIAL]


def test_a_changed_text_under_the_right_id_gets_no_label() -> None:
    label = make_label()
    result = join_labels([label], [SourceText(DENIAL.replace("denied", "admitted"), "row 3", label.id)])
    assert not result.examples
    assert [one.reason for one in result.mismatched] == [CHANGED_TEXT]
    assert "row 3" in result.mismatched[0].detail


def test_wrong_offsets_in_the_right_document_are_a_mismatch_and_never_a_label() -> None:
    label = make_label(DENIAL, ARTICLE, start=1, end=1 + len(DENIAL))
    result = join_labels([label], [SourceText(fold_space(ARTICLE), "row 1")])
    assert [one.reason for one in result.mismatched] == [BAD_SPAN]


def test_what_is_not_there_is_missing_with_a_reason_for_each_kind_of_set() -> None:
    labels = [make_label(DENIAL, ARTICLE), make_label(FERRY, labels=())]
    result = join_labels(labels, [SourceText("Something else.", "here")])
    assert [one.reason for one in result.missing] == [NO_DOCUMENT, NO_SENTENCE]
    assert result.count_reasons() == {NO_DOCUMENT: 1, NO_SENTENCE: 1}


def test_a_good_copy_outweighs_a_changed_one() -> None:
    label = make_label()
    changed = SourceText("Changed.", "row 1", label.id)
    result = join_labels([label], [changed, SourceText(DENIAL, "row 2", label.id)])
    assert [one.text for one in result.examples] == [DENIAL]
    assert not result.mismatched


def test_examples_keep_the_order_of_the_labels() -> None:
    labels = [make_label(FERRY), make_label(DENIAL)]
    result = join_labels(labels, [SourceText(DENIAL, "here"), SourceText(FERRY, "here")])
    assert [one.text for one in result.examples] == [FERRY, DENIAL]


def test_the_written_file_loads_as_training_data_with_groups_and_splits(tmp_path: Path) -> None:
    label = make_label(DENIAL, ARTICLE, unsure=True)
    result = join_labels([label], [SourceText(fold_space(ARTICLE), "here")])
    write_examples(result.examples, [label], tmp_path / "joined.jsonl")
    assert load_examples(tmp_path / "joined.jsonl", DEFAULT_SCHEME).examples == result.examples
    assert json.loads((tmp_path / "joined.jsonl").read_text(encoding="utf-8")) == as_row(label, text=DENIAL)


def test_the_list_of_unjoined_labels_names_the_reason_and_holds_no_text(tmp_path: Path) -> None:
    result = join_labels([make_label()], [])
    write_unjoined(result, tmp_path / "missing.jsonl")
    row = json.loads((tmp_path / "missing.jsonl").read_text(encoding="utf-8"))
    assert row["reason"] == NO_SENTENCE
    assert set(row) == {"id", "dataset", "document", "reason", "detail"}


def test_a_folder_that_does_not_exist_is_named_when_writing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        write_examples([], [], tmp_path / "nowhere" / "out.jsonl")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": DENIAL}, "holds a text"),
        ({"labels": ["denail"]}, "did you mean 'denial'"),
        ({"labels": ["denial", "denial"]}, "each name once"),
        ({"labels": "denial"}, "list of names"),
        ({"id": "12AB"}, "hex digits"),
        ({"document": None}, "hex digits"),
        ({"start": -1}, "start is -1"),
        ({"start": True}, "whole number"),
        ({"end": 0}, "end is 0"),
        ({"start": 90, "end": 90, "document": "0" * 12}, "start before end"),
        ({"start": 2}, "start must be 0"),
        ({"read": 0}, "read is 0"),
        ({"split": ""}, "split is ''"),
        ({"dataset": 3}, "dataset is 3"),
        ({"unsure": "yes"}, "true or false"),
        ({"colour": "red"}, "unknown key 'colour'"),
    ],
)
def test_a_bad_row_is_refused_with_file_row_and_reason(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_rows(tmp_path / "labels.jsonl", as_row(make_label(FERRY, labels=())), as_row(make_label(), **changes))
    with pytest.raises(DataError, match=message) as caught:
        read_standoff(path, DEFAULT_SCHEME)
    assert (caught.value.path, caught.value.row) == (str(path), 2)


def test_a_row_without_a_key_is_refused() -> None:
    row = as_row(make_label())
    del row["stratum"]
    with pytest.raises(DataError, match="no key 'stratum'"):
        parse_standoff(row, DEFAULT_SCHEME)


def test_an_id_that_stands_twice_is_refused_with_its_first_row(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "labels.jsonl", as_row(make_label()), as_row(make_label()))
    with pytest.raises(DataError, match="stands in row 1 already"):
        read_standoff(path, DEFAULT_SCHEME)


def test_an_empty_or_broken_file_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{not json}\n", encoding="utf-8")
    with pytest.raises(DataError, match="broken JSON"):
        read_standoff(broken, DEFAULT_SCHEME)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"text": "Another."}, "hash"), ({"text": " "}, "expected a sentence"), ({"end": 9}, "room for 9")],
)
def test_a_row_whose_text_is_not_the_labelled_one_makes_no_stand_off_label(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        strip_text(as_row(make_label(), text=DENIAL) | changes, DEFAULT_SCHEME, split="dev")


def test_ids_are_those_that_the_loader_gives_to_rows_without_one(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", {"text": f"  {DENIAL}\u00a0", "labels": []})
    assert load_examples(path, DEFAULT_SCHEME).examples[0].id == hash_text(DENIAL)


def test_half_a_surrogate_pair_in_a_foreign_text_matches_nothing_and_stops_nothing() -> None:
    result = join_labels([make_label()], [SourceText("cut \ud83d", "row 1"), SourceText(DENIAL, "row 2")])
    assert len(result.examples) == 1


def test_isot_documents_are_the_text_column_with_commas_and_quotes_inside(tmp_path: Path) -> None:
    article = f'SEAPORT (Wire) - {FERRY} "Never," he said. {DENIAL} '
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["title", "text", "subject", "date"], ["A title", article, "news", "May 1, 2017"]])
    (tmp_path / "True.csv").write_text(stream.getvalue(), encoding="utf-8", newline="")
    texts = read_source_texts(tmp_path / "True.csv", dataset="isot")
    assert [one.text for one in join_labels([make_label(DENIAL, article)], texts).examples] == [DENIAL]


def test_bbc_news_is_read_from_its_csv_and_from_folders_of_files_in_either_case(tmp_path: Path) -> None:
    # As published in one CSV: lower case, and spaces where commas and quotes stood.
    flat = "ferry runs late the ferry s owner, denied it".replace(",", " ")
    (tmp_path / "bbc-text.csv").write_text(f"category,text\nbusiness,{flat}\n", encoding="utf-8")
    folder = tmp_path / "bbc" / "business"
    folder.mkdir(parents=True)
    (folder / "001.txt").write_text("Ferry runs late\n\nThe ferry's owner, denied it", encoding="utf-8")
    (folder / "002.txt").write_bytes("It cost \xa35".encode("latin-1"))
    label = make_label("the ferry s owner denied it", flat)
    for source in (tmp_path / "bbc-text.csv", tmp_path / "bbc"):
        assert len(join_labels([label], read_source_texts(source, dataset="bbc_news")).examples) == 1


def test_plv_sentences_come_from_their_column(tmp_path: Path) -> None:
    path = tmp_path / "PLV_test.tsv"
    path.write_text(f'uid\tsentence\tsource\n0\t"{DENIAL}"\tboard\n', encoding="utf-8")
    texts = read_source_texts(path, dataset="plv")
    assert [one.text for one in join_labels([make_label()], texts).examples] == [DENIAL]


def test_conflibert_sentences_are_found_with_quotes_read_or_kept_broken_or_repaired(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    lines = ['"The board said ""no"" to it."\t0\t1', "the boardaEUR(tm)s reply: aEURoenoaEUR, he said\t0\t0", "\t0\t0"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    texts = read_source_texts(path, dataset="conflibert")
    wanted = [
        'The board said "no" to it.',
        '"The board said ""no"" to it."',
        'the board\'s reply: "no", he said',
        "the boardaEUR(tm)s reply: aEURoenoaEUR, he said",
    ]
    assert len(join_labels([make_label(text) for text in wanted], texts).examples) == len(wanted)


@pytest.mark.parametrize(
    ("broken", "repaired"),
    [("boardaEUR(tm)s", "board's"), ("board(tm)s", "board's"), ("aEURoenoaEUR", '"no"'), ("aEUR~noaEUR(tm)", "'no'")],
)
def test_broken_quotation_marks_are_repaired(broken: str, repaired: str) -> None:
    assert repair_quotes(broken) == repaired


def test_any_table_may_hold_the_texts(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f'number,body\n1,"{DENIAL}"\n', encoding="utf-8")
    assert [one.text for one in read_source_texts(path, text_column="body")] == [DENIAL]


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        ("id,body\n1,x\n", {}, DataError, "no column 'text'"),
        ("id,body\n1,x\n", {"dataset": "isot"}, DataError, "no column 'text'"),
        ("title,text\n1\n", {"dataset": "isot"}, DataError, "got 1 fields, expected 2"),
        ("text\nx\n", {"dataset": "cnn"}, UsageError, "unknown dataset 'cnn'"),
        ("text\n  \n", {}, DataError, "no texts"),
    ],
)
def test_a_source_that_cannot_be_read_says_why(
    tmp_path: Path, content: str, options: dict[str, str], error: type[Exception], message: str
) -> None:
    (tmp_path / "source.csv").write_text(content, encoding="utf-8")
    with pytest.raises(error, match=message):
        read_source_texts(tmp_path / "source.csv", **options)


def test_a_bad_row_of_a_source_is_named(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", {"text": DENIAL}, {"text": None})
    with pytest.raises(DataError, match="row 2"):
        read_source_texts(path)
    with pytest.raises(DataError, match="folder"):
        read_source_texts(tmp_path, dataset="conflibert")


def test_only_the_labels_of_the_dataset_are_looked_for() -> None:
    labels = [make_label(DENIAL), make_label(FERRY, dataset="cameo_class")]
    assert select_dataset(labels, "conflibert") == [labels[1]]
    assert select_dataset(labels, "any") == labels
    with pytest.raises(UsageError, match="cnn"):
        select_dataset(labels, "cnn")

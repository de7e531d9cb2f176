"""Claims about sheets: drawn from real runs, filled by hand, read back without loss, faulty ones named by row."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from newsacts import Classifier
from newsacts.backends.fake import FakeBackend
from newsacts.bulk import BulkSettings, classify_corpus
from newsacts.bulk.finished import open_run, read_parts
from newsacts.checkpoint import Checkpoint
from newsacts.cli import app
from newsacts.data.loaders import load_examples
from newsacts.errors import DataError, UsageError
from newsacts.labels import DEFAULT_SCHEME, LabelScheme
from newsacts.review import apply_sheet, draw_for_rates, draw_for_training, estimate_rates, read_review, write_review
from newsacts.review.informative import choose_informative, measure_uncertainty
from newsacts.review.sheet import SheetRow, find_design, is_same_sentence, parse_labels, read_sheet, write_sheet
from newsacts.review.values import DrawnSentence
from tests import tiny

NASTY = ("=1+1 was on the sign.", "<script>alert(1)</script> stood there.", "@mayor \u202eneerged\u202c 😀 said no.")


def write_archive(path: Path, articles: int = 60) -> Path:
    rows = []
    for number in range(articles):
        texts = [tiny.SENTENCES[(3 * number + place) % 20][0] for place in range(5)]
        texts.append(NASTY[number % 3] if number < 6 else f"Number {number} of {articles} was drawn today.")
        place = {"id": f"a{number}", "text": "\n".join(texts), "date": f"2017-01-{1 + number % 28:02}"}
        rows.append({**place, "source": "Wire" if number % 2 else "Post", "section": "=city" if number % 3 else None})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def classifier(tiny_checkpoint: Checkpoint) -> Classifier:
    return Classifier(tiny_checkpoint, FakeBackend(4))


@pytest.fixture(scope="module")
def run_folder(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("review")
    settings = BulkSettings(shard_articles=7, near_duplicates=True, keep=("section",))
    classify_corpus([write_archive(folder / "in.jsonl")], folder / "run", classifier=classifier, settings=settings)
    return folder / "run"


def fill(sheet: Path, labels: Any) -> None:
    """Write `labels(row)` into a CSV sheet, as a spreadsheet would save it."""
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows[1:]:
        row["labels"] = labels(row)
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("output_format", ["parquet", "csv", "jsonl"])
def test_a_run_is_read_back_as_it_was_written(classifier: Classifier, tmp_path: Path, output_format: Any) -> None:
    settings = BulkSettings(
        shard_articles=7, output_format=output_format, near_duplicates=True, keep=("section",)
    )  # fmt: skip
    archive = write_archive(tmp_path / "in.jsonl", 20)
    result = classify_corpus([archive], tmp_path / "out", classifier=classifier, settings=settings)
    run = open_run(tmp_path / "out")
    columns = ("article_id", "text", "start", "end", "date", "source", "section")
    parts = list(read_parts(run, columns))
    expected = [
        (sentence.article_id, sentence.text, sentence.start, sentence.end, row["date"], row["source"], row["section"])
        for row in map(json.loads, archive.read_text().splitlines())
        for sentence in (one.sentence for one in classifier.classify_article(_article(row)))
    ]
    found = [row for part in parts for row in zip(*(part.columns[name] for name in columns), strict=True)]
    assert found == expected
    decided = sum(run.decide(part, run.thresholds).sum(axis=0) for part in parts)
    assert tuple(np.asarray(decided).tolist()) == result.tally.total.labels
    assert sum(len(part.starts) for part in parts) == result.articles
    firsts = sum(int(part.first_of_cluster.sum()) for part in parts)
    assert firsts == run.manifest["counts"]["near_duplicates"]["clusters"]


def _article(row: dict[str, Any]) -> Any:
    from newsacts import Article

    return Article(row["id"], row["text"])


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, run_folder: Path) -> None:
    with pytest.raises(DataError, match=r"no manifest\.json here"):
        open_run(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(DataError, match="not a manifest of this version"):
        open_run(tmp_path)
    with pytest.raises(UsageError, match="no column 'mood'; it has article_id"):
        list(read_parts(open_run(run_folder), ["mood"]))


def test_a_run_that_lost_a_file_is_refused(run_folder: Path, tmp_path: Path) -> None:
    lost = Path(shutil.copytree(run_folder, tmp_path / "lost"))
    next((lost / "sentences").iterdir()).unlink()
    with pytest.raises(DataError, match="files are missing"):
        draw_for_rates(lost, size=20)
    manifest = json.loads((lost / "manifest.json").read_text())
    manifest["settings"]["output_format"] = "../parquet"
    (lost / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="unknown output format"):
        open_run(lost)


def test_every_band_is_drawn_from_and_chances_add_up_to_the_run(run_folder: Path) -> None:
    design = draw_for_rates(run_folder, size=80, seed=4)
    assert len(design.rows) == 80
    assert [row.row for row in design.rows] == list(range(1, 81))
    total = open_run(run_folder).tally.total.sentences
    assert sum(stratum.sentences for stratum in design.strata) == total
    drawn = np.bincount([row.stratum for row in design.rows], minlength=len(design.strata))
    sizes = [stratum.sentences for stratum in design.strata]
    weights = [sizes[row.stratum] / drawn[row.stratum] for row in design.rows]
    assert sum(weights) == pytest.approx(total)
    assert all(count > 0 for count, size in zip(drawn, sizes, strict=True) if size)
    places = {(row.article_id, row.sentence_index) for row in design.rows}
    assert len(places) == 80
    assert draw_for_rates(run_folder, size=80, seed=4) == design
    assert draw_for_rates(run_folder, size=80, seed=5) != design


def test_draws_are_even_inside_a_band(run_folder: Path) -> None:
    """Over many seeds, every sentence of the largest band is drawn about as often."""
    frame = pd.read_parquet(run_folder / "sentences")
    seen: dict[tuple[str, int], int] = {}
    for seed in range(20):
        design = draw_for_rates(run_folder, size=120, seed=seed)
        largest = max(range(len(design.strata)), key=lambda place: design.strata[place].sentences)
        for row in design.rows:
            if row.stratum == largest:
                seen[row.article_id, row.sentence_index] = seen.get((row.article_id, row.sentence_index), 0) + 1
        size = design.strata[largest].sentences
    counts = np.asarray([*seen.values(), *[0] * (size - len(seen))])
    assert len(frame) > size > 30
    assert counts.var() < 2.0 * counts.mean()


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_filled_sheet_comes_back_as_reviews_and_training_data(run_folder: Path, tmp_path: Path, ending: str) -> None:
    design = draw_for_rates(run_folder, size=60)
    sheet = tmp_path / f"sheet.{ending}"
    write_sheet(design, sheet)
    truth = {str(row.row): "denial | Regret" if row.row % 3 else "none" for row in design.rows}
    if ending == "csv":
        fill(sheet, lambda row: truth[row["row"]])
    else:
        rows = [json.loads(line) for line in sheet.read_text().splitlines()]
        filled = [row | {"labels": ["denial", "regret"] if int(row["row"]) % 3 else []} for row in rows[1:]]
        sheet.write_text("".join(json.dumps(row) + "\n" for row in [rows[0], *filled]))
    result = CliRunner().invoke(app, ["review", "apply", str(run_folder), str(sheet)])
    assert result.exit_code == 0, result.output
    loaded = load_examples(tmp_path / "sheet.train.jsonl", DEFAULT_SCHEME).examples
    assert [one.text for one in loaded] == [row.text for row in design.rows]
    assert {one.labels for one in loaded} == {("denial", "regret"), ()}
    assert [one.group for one in loaded] == [row.article_id for row in design.rows]
    review = read_review(tmp_path / "sheet.review.json")
    assert [row.probabilities for row in review.design.rows] == [row.probabilities for row in design.rows]
    rates = estimate_rates(review)
    for one in rates.values():
        assert one.value is not None
        assert one.low is not None
        assert one.high is not None
        assert 0 <= one.low <= one.value <= one.high <= 1
    assert (rates["denial"].value or 0) > 0.4 > (rates["accusation"].value or 0)
    assert not any(row.text in (tmp_path / "sheet.review.json").read_text() for row in design.rows)


def test_checking_every_sentence_gives_the_rate_itself(run_folder: Path, tmp_path: Path) -> None:
    total = open_run(run_folder).tally.total.sentences
    sheet = tmp_path / "all.csv"
    design = draw_for_rates(run_folder, size=total)
    write_sheet(design, sheet)
    fill(sheet, lambda row: "sanction" if int(row["row"]) % 5 == 0 else "none")
    applied = apply_sheet(run_folder, sheet)
    assert applied.review is not None
    assert estimate_rates(applied.review)["sanction"].value == pytest.approx((total // 5) / total, abs=1e-6)


def test_cells_that_a_spreadsheet_would_run_are_neutral_and_texts_come_back_whole(
    run_folder: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "all.csv"
    write_sheet(draw_for_rates(run_folder, size=open_run(run_folder).tally.total.sentences), sheet)
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert "'=1+1 was on the sign." in cells
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    fill(sheet, lambda _: "none")
    assert set(NASTY) <= {one.text for one in apply_sheet(run_folder, sheet).examples}


def test_faulty_rows_are_named_all_at_once(run_folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    write_sheet(draw_for_rates(run_folder, size=40), sheet)
    fill(sheet, lambda row: {"3": "denail", "5": ""}.get(row["row"], "none"))
    lines = sheet.read_text().splitlines(keepends=True)
    # Row 7 goes, row 8 stands twice, and a stranger comes in.
    sheet.write_text("".join([*lines[:8], *lines[9:], lines[9], lines[9].replace("8;", "99;", 1)]))
    with pytest.raises(DataError) as caught:
        apply_sheet(run_folder, sheet)
    message = str(caught.value)
    assert "row 3 (line 5): unknown label 'denail'" in message
    assert "did you mean 'denial'?" in message
    assert "row 5 (line 7): have no label" in message
    assert "row 7: are missing from the sheet" in message
    assert "row 8 (line" in message
    assert "stand twice" in message
    assert "row '99' (line" in message


def test_a_sheet_of_another_run_or_without_its_design_is_refused(
    run_folder: Path, classifier: Classifier, tmp_path: Path
) -> None:
    classify_corpus([write_archive(tmp_path / "in.jsonl", 9)], tmp_path / "other", classifier=classifier)
    sheet = tmp_path / "sheet.csv"
    design = write_sheet(draw_for_rates(tmp_path / "other", size=20), sheet)
    with pytest.raises(DataError, match="drawn from another run"):
        apply_sheet(run_folder, sheet)
    design.unlink()
    with pytest.raises(DataError, match="it was written beside the sheet"):
        apply_sheet(tmp_path / "other", sheet)


def test_a_sheet_is_not_read_by_the_design_of_another(run_folder: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 5)):
        write_sheet(draw_for_rates(run_folder, size=40, seed=seed), tmp_path / f"{name}.csv")
    fill(tmp_path / "b.csv", lambda _: "none")
    with pytest.raises(DataError, match=r"rows 1 \(line 3\), .*: article_id and sentence are not those of the design"):
        apply_sheet(run_folder, tmp_path / "b.csv", design=tmp_path / "a.csv.design.json")
    assert apply_sheet(run_folder, tmp_path / "b.csv").review is not None


def test_a_row_may_lose_its_id_or_its_text_to_a_spreadsheet_and_not_both() -> None:
    drawn = DrawnSentence(3, 0, "=0012", 4, 0, 9, "It rained,\r\nand rained.", None, None, (0.1,))
    row = SheetRow("3", "none", "'=0012", "4", "It rained,\n and rained.", 5)
    same: list[dict[str, Any]] = [
        {}, {"article_id": "12"}, {"text": ""}, {"article_id": "=0012", "text": ""}, {"sentence": "4.0"}
    ]  # fmt: skip
    others: list[dict[str, Any]] = [{"article_id": "12", "text": ""}, {"sentence": "5"}, {"sentence": ""}]
    assert all(is_same_sentence(replace(row, **changes), drawn) for changes in same)
    assert not any(is_same_sentence(replace(row, **changes), drawn) for changes in others)


def test_a_sheet_is_never_overwritten(run_folder: Path, tmp_path: Path) -> None:
    design = draw_for_rates(run_folder, size=20)
    write_sheet(design, tmp_path / "sheet.csv")
    with pytest.raises(UsageError, match="exists, and may hold labels"):
        write_sheet(design, tmp_path / "sheet.csv")
    with pytest.raises(UsageError, match=r"a sheet is \.csv or \.jsonl"):
        write_sheet(design, tmp_path / "sheet.xlsx")


def test_neither_is_the_design_of_a_sheet_that_was_moved_away(run_folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    written = write_sheet(draw_for_rates(run_folder, size=20), sheet).read_bytes()
    sheet.rename(tmp_path / "filled.csv")
    with pytest.raises(UsageError, match="or the design of some"):
        write_sheet(draw_for_rates(run_folder, size=20, seed=1), sheet)
    assert find_design(sheet).read_bytes() == written
    assert not sheet.exists()
    find_design(sheet).unlink()
    sheet.touch()
    with pytest.raises(UsageError, match="exists, and may hold labels"):
        write_sheet(draw_for_rates(run_folder, size=20), sheet)
    assert not find_design(sheet).exists()


def test_a_sheet_for_training_may_be_half_full_and_corrects_no_rates(run_folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "next.csv"
    command = ["review", "sample", str(run_folder), "--output", str(sheet), "--for", "training", "--size", "30"]
    assert CliRunner().invoke(app, command).exit_code == 0
    fill(sheet, lambda row: "denial" if int(row["row"]) <= 10 else "")
    applied = apply_sheet(run_folder, sheet)
    assert (len(applied.examples), len(applied.empty_rows), applied.review) == (10, 20, None)
    refused = CliRunner().invoke(app, ["review", "apply", str(run_folder), str(sheet), "--output", "x.json"])
    assert isinstance(refused.exception, UsageError)
    onto_itself = CliRunner().invoke(app, ["review", "apply", str(run_folder), str(sheet), "--training", str(sheet)])
    assert "would replace the sheet" in str(onto_itself.exception)


def test_examples_of_two_sheets_of_a_run_can_be_trained_on_together(run_folder: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    for number, draw in enumerate((draw_for_rates, draw_for_training)):
        sheet = tmp_path / f"{number}.csv"
        write_sheet(draw(run_folder, size=20), sheet)
        fill(sheet, lambda _: "none")
        seen += [example.id for example in apply_sheet(run_folder, sheet).examples]
    assert len(seen) == len(set(seen)) >= 40


def test_a_sheet_for_training_holds_unsure_sentences_that_differ(run_folder: Path) -> None:
    design = draw_for_training(run_folder, size=20)
    texts = [" ".join(row.text.split()).casefold() for row in design.rows]
    assert len(set(texts)) == len(texts)
    run = open_run(run_folder)
    mine = measure_uncertainty(
        np.asarray([row.probabilities for row in design.rows], dtype=np.float32), run.thresholds, exclusive=False
    )
    everything = np.concatenate([
        measure_uncertainty(part.probabilities, run.thresholds, exclusive=False) for part in read_parts(run)
    ])  # fmt: skip
    assert (mine.mean(axis=0) > everything.mean(axis=0)).all()


def test_near_duplicates_are_asked_once() -> None:
    texts = ["The mayor denied that the bridge was unsafe on Friday."] * 3 + ["Rain fell.", "The union apologised."]
    chosen = choose_informative(texts, np.asarray([[0.9], [0.8], [0.7], [0.2], [0.1]]), 3)
    assert chosen.tolist() == [0, 3, 4]


def test_a_rare_label_is_asked_about_as_often_as_a_common_one() -> None:
    """Forty sentences that the first label is unsure of, four for the second, and each less so."""
    texts = [f"Sentence {number} of the archive names person {number} alone." for number in range(44)]
    uncertainty = np.zeros((44, 2))
    uncertainty[:40, 0], uncertainty[40:, 1] = 0.9, 0.4
    chosen = choose_informative(texts, uncertainty, 8)
    assert {40, 41, 42, 43} & set(chosen.tolist())


def test_labels_of_a_cell_are_read_as_people_write_them() -> None:
    assert parse_labels("Denial, regret", DEFAULT_SCHEME) == ("denial", "regret")
    assert parse_labels(" none ", DEFAULT_SCHEME) == ()
    assert parse_labels(" ", DEFAULT_SCHEME) is None
    with pytest.raises(UsageError, match="unknown label"):
        parse_labels("denial|none", DEFAULT_SCHEME)
    with pytest.raises(UsageError, match="exactly one"):
        parse_labels("none", LabelScheme(("up", "down"), exclusive=True))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"row,text\n1,a\n", "no column 'labels'"), (b"\xff", "not UTF-8"), (b'row,labels\n1,"a\n', "broken CSV")],
)
def test_what_is_no_sheet_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "sheet.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_sheet(tmp_path / "sheet.csv")


def test_a_damaged_review_is_refused(run_folder: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    write_sheet(draw_for_rates(run_folder, size=40), sheet)
    fill(sheet, lambda _: "none")
    review = apply_sheet(run_folder, sheet).review
    assert review is not None
    write_review(review, tmp_path / "review.json")
    values = json.loads((tmp_path / "review.json").read_text())
    for changes, message in (({"kind": "x"}, "expected a newsacts review"), ({"protocol": 9}, "update newsacts")):
        (tmp_path / "bad.json").write_text(json.dumps(values | changes))
        with pytest.raises(DataError, match=message):
            read_review(tmp_path / "bad.json")
    del values["design"]["rows"][0]["labels"]
    (tmp_path / "bad.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match="damaged"):
        read_review(tmp_path / "bad.json")

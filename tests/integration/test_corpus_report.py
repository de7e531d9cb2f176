"""Claims about the corpus report: its counts are the run's, its rates have ends, and data is shown as text."""

import base64
import csv
import io
import json
import re
from contextlib import nullcontext
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from newsacts import Classifier
from newsacts.backends.fake import FakeBackend
from newsacts.bulk import BulkSettings, classify_corpus
from newsacts.checkpoint import Checkpoint
from newsacts.cli import app
from newsacts.errors import DataError, UsageError
from newsacts.labels import LabelScheme
from newsacts.report.corpus import CorpusOptions, CorpusReport, build_corpus_report
from newsacts.review import apply_sheet, draw_for_rates, write_review, write_sheet
from tests import tiny
from tests.integration.test_review import fill, write_archive

NASTY_SOURCE = '<script>alert("x")</script>'
NASTY_TEXT = 'He said "<img src=x onerror=alert(1)>" & \u202eneerged\u202c \U0001f600 </svg></title>.'


class Page(HTMLParser):
    """Tags, attributes and text of a page, without its style sheets and scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("style", "script"):
            self.text += data

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of a download."""
        address = next(values["href"] for tag, values in self.tags if tag == "a" and values.get("download") == name)
        content = base64.b64decode((address or "").partition("base64,")[2]).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(content)))


@pytest.fixture(scope="module")
def classifier(tiny_checkpoint: Checkpoint) -> Classifier:
    return Classifier(tiny_checkpoint, FakeBackend(4))


def make_run(folder: Path, classifier: Classifier, rows: list[dict[str, Any]] | None = None, **settings: Any) -> Path:
    source = folder / "in.jsonl"
    if rows is None:
        write_archive(source)
    else:
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    classify_corpus([source], folder / "run", classifier=classifier, settings=BulkSettings(**settings))
    return folder / "run"


def build(folder: Path, run: Path, **options: Any) -> tuple[CorpusReport, Page]:
    report = build_corpus_report(run, folder / "report.html", options=CorpusOptions(**options))
    return report, Page(report.path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run_folder(classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return make_run(folder, classifier, near_duplicates=True, keep=("section",), shard_articles=7)


def test_counts_are_those_of_the_tally_in_whole_and_in_parts(run_folder: Path, tmp_path: Path) -> None:
    total = json.loads((run_folder / "manifest.json").read_text())["tally"]["cells"]
    expected = [sum(cell["by_label"][place] for cell in total) for place in range(4)]
    report, page = build(tmp_path, run_folder, by=("section",))
    view = report.views[0]
    assert [rate.count for rate in view.whole.rates.values()] == expected
    assert view.whole.sentences == sum(cell["sentences"] for cell in total)
    assert view.unlabelled == sum(cell["unlabelled"] for cell in total)
    assert view.time is not None
    for cells in (view.time.cells, *(group.cells for group in view.groups)):
        assert [sum(cell.rates[name].count for cell in cells) for name in view.whole.rates] == expected
        assert sum(cell.articles for cell in cells) == view.whole.articles
    rows = page.table("by-day-all.csv")
    assert sum(int(row["labelled_sentences"]) for row in rows if row["method"] == "counted") == sum(expected)


def test_every_rate_lies_between_its_ends(run_folder: Path, tmp_path: Path) -> None:
    report, _ = build(tmp_path, run_folder, by=("section",))
    for view in report.views:
        assert view.time is not None
        for cell in (view.whole, *view.time.cells, *(cell for group in view.groups for cell in group.cells)):
            for rate in cell.rates.values():
                for one in rate.estimates.values():
                    if one.low is not None and one.high is not None:
                        assert one.value is not None
                        assert 0 <= one.low <= one.value <= one.high <= 1
                    else:
                        assert cell.articles <= 1 or one.value is None


def test_each_story_once_counts_one_article_a_cluster(run_folder: Path, tmp_path: Path) -> None:
    clusters = json.loads((run_folder / "manifest.json").read_text())["counts"]["near_duplicates"]["clusters"]
    report, page = build(tmp_path, run_folder)
    printed, once = report.views
    assert once.whole.articles == clusters < printed.whole.articles
    assert "each story once" in page.text


def test_the_page_is_one_file_that_asks_for_nothing(run_folder: Path, tmp_path: Path) -> None:
    _, page = build(tmp_path, run_folder)
    for _, values in page.tags:
        for name in ("href", "src", "action", "xlink:href"):
            assert (values.get(name) or "#").startswith(("#", "data:"))
    policy = next(values["content"] for tag, values in page.tags if values.get("http-equiv"))
    assert (policy or "").startswith("default-src 'none'")


def test_every_plot_says_in_words_what_it_shows(run_folder: Path, tmp_path: Path) -> None:
    _, page = build(tmp_path, run_folder)
    plots = [values for tag, values in page.tags if tag == "svg"]
    ids = {values.get("id") for _, values in page.tags}
    assert plots
    for values in plots:
        assert values.get("role") == "img"
        assert values.get("aria-label") or set((values.get("aria-labelledby") or "?").split()) <= ids
    every_id = [values["id"] for _, values in page.tags if "id" in values]
    assert len(every_id) == len(set(every_id))


def test_data_is_shown_as_text(classifier: Classifier, tmp_path: Path) -> None:
    rows = [
        {"id": "javascript:alert(1)", "text": NASTY_TEXT, "source": NASTY_SOURCE, "date": "<b>2017</b>", "part": "=1"},
        {"id": "https://example.org/?a=1&b=\"2\"", "text": "The bank denied it.", "source": "\u202eRTL", "part": "'\""},
    ]  # fmt: skip
    run = make_run(tmp_path, classifier, rows, keep=("part",))
    _, page = build(tmp_path, run, by=("part",), title="<b>All & sundry</b>")
    assert NASTY_TEXT in page.text
    assert NASTY_SOURCE in page.text
    assert "<b>All & sundry</b>" in page.text
    assert not [tag for tag, _ in page.tags if tag in ("img", "b")]
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 1
    links = [values.get("href") for tag, values in page.tags if tag == "a" and "rel" in values]
    assert set(links) == {'https://example.org/?a=1&b="2"'}
    assert {row["part"] for row in page.table("by-part-all.csv")} == {"'=1", "'\""}


def test_a_sheet_corrects_the_rates(run_folder: Path, tmp_path: Path) -> None:
    write_sheet(draw_for_rates(run_folder, size=100), tmp_path / "sheet.csv")
    gold = dict(tiny.SENTENCES)
    fill(tmp_path / "sheet.csv", lambda row: "|".join(gold.get(row["text"], ())) or "none")
    review = apply_sheet(run_folder, tmp_path / "sheet.csv").review
    assert review is not None
    write_review(review, tmp_path / "review.json")
    report, page = build(tmp_path, run_folder, review=tmp_path / "review.json")
    rates = report.views[0].whole.rates
    truth = sum("accusation" in labels for _, labels in tiny.SENTENCES) * 5 / 6 / 20
    powered = rates["accusation"].estimates["powered"]
    assert powered.low is not None
    assert powered.high is not None
    assert powered.low < truth < powered.high
    assert "Corrected by 100 sentences" in page.text
    assert "powered" in {row["method"] for row in page.table("rates-all.csv")}


def test_only_sentences_that_carry_a_label_are_its_strongest(run_folder: Path, tmp_path: Path) -> None:
    _, page = build(tmp_path, run_folder, thresholds={"regret": 0.9999})
    assert page.text.count("No sentence.") == 1


def test_a_period_that_makes_too_many_points_is_refused(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsacts.report.corpus_views.MOST_PERIODS", 5)
    with pytest.raises(UsageError, match="dates of the run make 28 days, 5 at most can be shown"):
        build(tmp_path, run_folder, period="day")


def test_a_review_of_another_run_is_refused(run_folder: Path, classifier: Classifier, tmp_path: Path) -> None:
    run = make_run(tmp_path, classifier, [{"text": "Rain fell on the mill. " * 12}])
    write_sheet(draw_for_rates(run, size=20), tmp_path / "sheet.csv")
    fill(tmp_path / "sheet.csv", lambda _: "none")
    review = apply_sheet(run, tmp_path / "sheet.csv").review
    assert review is not None
    write_review(review, tmp_path / "review.json")
    with pytest.raises(DataError, match="of another run"):
        build(tmp_path, run_folder, review=tmp_path / "review.json")


def test_thresholds_can_be_changed_without_running_again(run_folder: Path, tmp_path: Path) -> None:
    usual, _ = build(tmp_path, run_folder)
    stricter, page = build(tmp_path, run_folder, thresholds={"denial": 0.95})
    before, after = usual.views[0].whole.rates, stricter.views[0].whole.rates
    assert after["denial"].count < before["denial"].count
    assert after["regret"].count == before["regret"].count
    assert "Thresholds changed for this report: denial 0.95" in page.text
    with pytest.raises(UsageError, match="did you mean 'denial'"):
        build(tmp_path, run_folder, thresholds={"denail": 0.5})
    with pytest.raises(UsageError, match="between 0 and 1"):
        CorpusOptions(thresholds={"denial": 1.5})


def test_scores_of_the_checkpoint_correct_rates_until_a_threshold_is_changed(run_folder: Path, tmp_path: Path) -> None:
    from newsacts.bulk.finished import open_run
    from newsacts.report.corpus_rates import find_errors

    run = open_run(run_folder)
    row = {"support": 40, "precision": 0.8, "recall": 0.6}
    run.manifest["model"]["dev_scores"] = {"sentences": 100, "labels": dict.fromkeys(run.scheme.names, row)}
    found = find_errors(run, run.thresholds, None)
    assert found is not None
    errors = found.errors["denial"]
    assert errors is not None
    assert (errors.sensitivity, errors.specificity) == pytest.approx((24 / 40, 54 / 60))
    other = find_errors(run, (*run.thresholds[:3], 0.9), None)
    assert other is not None
    assert other.errors["sanction"] is None


@pytest.mark.parametrize("texts", [["  "], ["Rain fell on the mill."], []])
def test_a_run_of_nothing_or_nearly_nothing_has_a_report(
    texts: list[str], classifier: Classifier, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    with nullcontext() if texts == ["Rain fell on the mill."] else pytest.raises(DataError, match="no article"):
        classify_corpus([source], tmp_path / "run", classifier=classifier)
    run = tmp_path / "run"
    report, page = build(tmp_path, run)
    assert report.views[0].time is None
    assert report.views[0].whole.sentences == (1 if texts and texts[0].strip() else 0)
    assert "nothing to show over time" in page.text


def test_missing_dates_and_sources_are_counted_and_said(classifier: Classifier, tmp_path: Path) -> None:
    rows = [
        {"text": "The bank denied the theft.", "date": "2017-05-01", "source": "Wire"},
        {"text": "The mayor denied the claim.", "date": "03/04/2017"},
        {"text": "We regret the delay.", "date": "2017-05"},
    ]
    _, page = build(tmp_path, make_run(tmp_path, classifier, rows))
    assert "Articles without a date that can be told for certain: 1." in page.text
    assert "Articles that name a month and no day: 1." in page.text
    assert "Articles that name no source: 2." in page.text
    assert "without source" in page.text


def write_dated(dates: list[str]) -> list[dict[str, Any]]:
    return [{"text": f"The bank denied the theft of {row} coins.", "date": date} for row, date in enumerate(dates)]


def test_wrong_dates_do_not_decide_what_is_plotted(classifier: Classifier, tmp_path: Path) -> None:
    dates = [f"2017-{1 + row % 3:02}-{1 + row % 28:02}" for row in range(150)]
    dates[3], dates[40], dates[70] = "0001-01-01", "9999-12-31", "1970-01-01"
    run = make_run(tmp_path, classifier, write_dated(dates))
    for period in (None, "day"):
        report, page = build(tmp_path, run, period=period)
        time = report.views[0].time
        assert time is not None
        assert (time.period, time.first, time.last, time.outside) == ("day", "2017-01-01", "2017-03-28", 1)
        assert "Articles with dates far outside of this time: 1." in page.text
        assert "2017-01-01 to 2017-03-28" in page.text
        assert "Articles without a date that can be told for certain: 2." in page.text
        counted = [row for row in page.table("by-day-all.csv") if row["method"] == "counted"]
        assert "1970-01-01" in {row["day"] for row in counted}
        assert sum(cell.articles for cell in time.cells) == 148
        assert report.views[0].whole.articles == 150


def test_days_of_a_long_span_are_refused_before_they_are_drawn(classifier: Classifier, tmp_path: Path) -> None:
    run = make_run(tmp_path, classifier, write_dated(["1600-01-01", "2017-01-01"]))
    with pytest.raises(UsageError, match="152,308 days, 2,500 at most"):
        build(tmp_path, run, period="day")


def test_the_order_of_dates_can_be_told(classifier: Classifier, tmp_path: Path) -> None:
    run = make_run(tmp_path, classifier, write_dated([f"{day:02}/05/2017" for day in range(1, 31)]))
    _, page = build(tmp_path, run)
    assert "Articles without a date that can be told for certain: 11." in page.text
    report, page = build(tmp_path, run, date_order="day")
    assert report.views[0].time is not None
    assert [cell.name for cell in report.views[0].time.cells] == [f"2017-05-{day:02}" for day in range(1, 31)]
    output = tmp_path / "by_command.html"
    command = ["report", str(run), "--output", str(output), "--date-order", "day", "--title", report.path.stem]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert Page(output.read_text(encoding="utf-8")).table("by-day-all.csv") == page.table("by-day-all.csv")
    with pytest.raises(UsageError, match="expected day or month"):
        CorpusOptions(date_order="year")  # type: ignore[arg-type]


@pytest.mark.parametrize("exclusive", [False, True])
def test_other_schemes_have_reports_too(exclusive: bool, tmp_path: Path) -> None:
    scheme = LabelScheme(("praise", "<blame>", "thanks & more"), exclusive=exclusive)
    checkpoint = tiny.write_tiny_checkpoint(tmp_path / "model", scheme=scheme)
    run = make_run(tmp_path, Classifier(checkpoint, FakeBackend(3)))
    report, page = build(tmp_path, run)
    assert "<blame>" in page.text
    whole = report.views[0].whole
    if exclusive:
        assert sum(rate.count for rate in whole.rates.values()) == whole.sentences
        assert "In one sentence" not in page.text
        with pytest.raises(UsageError, match="no thresholds"):
            build(tmp_path, run, thresholds={"praise": 0.4})


def test_the_command_writes_the_file_and_names_it(run_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "page.html"
    command = ["report", str(run_folder), "--output", str(output), "--by", "section", "--threshold", "denial=0.6"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip().endswith("page.html")
    assert re.search(r"<title>Corpus report: run</title>", output.read_text(encoding="utf-8"))
    for wrong in (["--threshold", "denial"], ["--by", "mood"], ["--period", "decade"]):
        assert isinstance(CliRunner().invoke(app, [*command[:4], *wrong]).exception, UsageError)

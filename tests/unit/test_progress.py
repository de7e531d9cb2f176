"""Claims about what a long run shows."""

import pytest

from newsacts.bulk import Progress
from newsacts.cli.progress import describe_progress, format_duration, show_progress
from newsacts.tally import Counts

HALF_WAY = Progress(
    articles=600, resumed=100, rejected=2, counts=Counts(600, 9_000, 8_000, (700, 300)),
    bytes_used=60, bytes_total=110, bytes_resumed=10, seconds=50.0,
)  # fmt: skip


def test_a_line_tells_articles_labels_rate_and_time_left_without_what_was_resumed() -> None:
    line = describe_progress(HALF_WAY, ("denial", "regret"))
    assert line == (
        "600 articles, 9,000 sentences (denial 700, regret 300); 2 rejected; 10.0 articles a second; 50 s left"
    )


def test_without_a_size_no_time_left_is_made_up() -> None:
    stream = Progress(5, 0, 0, Counts(5, 5, 5, (0,)), bytes_used=0, bytes_total=0, bytes_resumed=0, seconds=1.0)
    assert stream.seconds_left is None
    assert "left" not in describe_progress(stream, ("denial",))


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (89, "89 s"), (600, "10 min"), (9_000, "2.5 h"), (200_000, "2.3 days")]
)
def test_times_are_for_people(seconds: float, shown: str) -> None:
    assert format_duration(seconds) == shown


def test_away_from_a_terminal_a_line_is_printed_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(("denial", "regret"), log_seconds=3600) as show:
        show(HALF_WAY)
    assert capsys.readouterr().err == ""
    with show_progress(("denial", "regret"), log_seconds=0) as show:
        show(HALF_WAY)
    assert "600 articles" in capsys.readouterr().err

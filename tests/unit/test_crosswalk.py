"""Claims about the crosswalk to CAMEO and PLOVER."""

import re

import pytest

from newsacts.crosswalk import ONTOLOGIES, find_codes, load_crosswalk
from newsacts.errors import UsageError
from newsacts.labels import DEFAULT_SCHEME

CROSSWALK = load_crosswalk()
FORMS = {"cameo": r"\d{2,4}", "plover": r"[A-Z]+(:[a-z-]*(:[a-z_]+)?)?"}


def test_every_label_of_the_codebook_has_codes_in_both_ontologies() -> None:
    assert tuple(CROSSWALK.codes) == DEFAULT_SCHEME.names
    for label in DEFAULT_SCHEME.names:
        for ontology in ONTOLOGIES:
            assert len(find_codes([label], ontology)) == 1


@pytest.mark.parametrize("ontology", ONTOLOGIES)
def test_codes_have_the_form_of_their_ontology_and_a_name(ontology: str) -> None:
    for label in DEFAULT_SCHEME.names:
        for code in (*find_codes([label], ontology), *find_codes([label], ontology, mode="broad")):
            assert re.fullmatch(FORMS[ontology], code), code
            assert CROSSWALK.names[ontology][code]


@pytest.mark.parametrize("ontology", ONTOLOGIES)
def test_strict_codes_are_broad_ones_and_belong_to_one_label(ontology: str) -> None:
    strict = [find_codes([label], ontology, mode="strict") for label in DEFAULT_SCHEME.names]
    for label, codes in zip(DEFAULT_SCHEME.names, strict, strict=True):
        assert set(codes) <= set(find_codes([label], ontology, mode="broad"))
    every = [code for codes in strict for code in codes]
    assert len(every) == len(set(every))


def test_the_way_back_finds_the_labels_of_a_code() -> None:
    assert CROSSWALK.find_labels("1123", "cameo") == ("accusation",)
    assert CROSSWALK.find_labels("172", "cameo") == ()
    assert CROSSWALK.find_labels("172", "cameo", mode="broad") == ("sanction",)
    assert CROSSWALK.find_labels("190", "cameo", mode="broad") == ()


def test_codes_keep_the_order_of_the_labels_and_stand_once() -> None:
    assert find_codes(("sanction", "accusation", "sanction"), "cameo") == ("163", "112")
    assert find_codes((), "plover") == ()


def test_a_refusal_to_ease_sanctions_is_a_sanction_and_no_denial() -> None:
    assert CROSSWALK.find_labels("1244", "cameo", mode="broad") == ("sanction",)


def test_the_strict_codes_of_sanction_spread_over_as_many_roots_as_the_note_says() -> None:
    roots = {code[:2] for code in find_codes(["sanction"], "cameo", mode="strict")}
    (note,) = [note for note in CROSSWALK.notes if note.id == "status"]
    assert len(roots) == 7
    assert "spread over seven CAMEO roots" in note.text


def test_the_contradictions_are_noted_and_their_codes_are_known() -> None:
    assert {"regret-moved", "denial-dropped", "sanction-moved", "sanction-administrative"} <= {
        note.id for note in CROSSWALK.notes
    }
    known = set().union(*CROSSWALK.names.values())
    for note in CROSSWALK.notes:
        assert set(note.codes) <= known, note.id
        assert set(note.ontologies) <= set(ONTOLOGIES)


def test_unknown_ontologies_and_labels_are_refused() -> None:
    with pytest.raises(UsageError, match="expected one of cameo, plover"):
        find_codes(["denial"], "ideas")
    with pytest.raises(UsageError, match="label 'praise' has no cameo codes"):
        find_codes(["praise"], "cameo")
    with pytest.raises(UsageError, match="mode 'wide' is unknown, expected one of lead, strict, broad"):
        find_codes(["denial"], "cameo", mode="wide")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="mode 'lead' is unknown, expected one of strict, broad"):
        CROSSWALK.find_labels("016", "cameo", mode="lead")  # type: ignore[arg-type]

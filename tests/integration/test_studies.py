"""Films of one study: which stands for it in the list, and which are shown beside it."""

from pathlib import Path

from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.radiograph import Header
from cxr_app.view_words import LATERAL, REASONS
from cxr_app.worklist import Query, Worklist
from tests.support.outcomes import scored, sha256

LONE = Header(study_instance_uid="1.2.9", patient_id="P-9")
BY_STUDY = Query(by_study=True)


def header(view: str, **other: str) -> Header:
    facts = {"study_instance_uid": "1.2.3", "patient_id": "P-1", "patient_name": "Weiss^Anna"}
    return Header(view_position=view, **(facts | other))


def enter(worklist: Worklist, film: str, outcome: Outcome) -> str:
    worklist.receive(sha256(film), film, Path("/films") / film)
    return worklist.record(outcome)


def a_study(worklist: Worklist) -> tuple[str, str, str, str]:
    """Enter a frontal, a repeated and a lateral film of one study, and another study's film."""
    frontal = enter(worklist, "a", scored("a", 0.1, header=header("PA")))
    repeated = enter(worklist, "b", scored("b", 0.9, header=header("AP")))
    reason = f"This film cannot be judged: {REASONS[LATERAL]}"
    side = Outcome(sha256("c"), ScoringState.REJECTED, Priority.MEDIUM, reason, header=header("LL"))
    lateral = enter(worklist, "c", side)
    return frontal, repeated, lateral, enter(worklist, "d", scored("d", 0.3, header=LONE))


def listed(worklist: Worklist, query: Query) -> list[str]:
    found = [entry.id for entry in worklist.page(query)]
    assert worklist.count(query, 1001) == len(found)
    return found


def test_a_study_is_as_urgent_as_its_most_urgent_film_that_matches(worklist: Worklist) -> None:
    frontal, repeated, lateral, other = a_study(worklist)
    assert listed(worklist, BY_STUDY) == [repeated, other]
    assert listed(worklist, Query(flag="not_flagged", by_study=True)) == [other, frontal]
    assert listed(worklist, Query(text="weiss", by_study=True)) == [repeated]
    assert listed(worklist, Query(state="all", sort="patient_id", by_study=True)) == [
        repeated,
        other,
    ]
    assert listed(worklist, Query(state="needs_a_person", by_study=True)) == [lateral]
    worklist.mark_read(repeated)
    assert listed(worklist, BY_STUDY) == [other, frontal], "the lateral film stands for nothing"
    assert listed(worklist, Query(state="read", by_study=True)) == [repeated]
    assert listed(worklist, Query(state="all", by_study=True)) == [other, frontal]
    worklist.mark_read(frontal)
    assert lateral in listed(worklist, BY_STUDY), "until it is all that is unread"


def test_the_next_film_of_every_view_is_the_next_study(worklist: Worklist) -> None:
    frontal, repeated, lateral, other = a_study(worklist)
    for film in (frontal, repeated, lateral):
        assert worklist.neighbours(BY_STUDY, film) == (None, other)
    assert worklist.neighbours(BY_STUDY, other) == (repeated, None)


def test_the_other_films_are_known_to_each(worklist: Worklist) -> None:
    frontal, repeated, lateral, other = a_study(worklist)
    assert {film.id for film in worklist.studies.others(frontal)} == {repeated, lateral}
    assert worklist.studies.others(other) == []
    views = worklist.studies.views([worklist.entry(repeated), worklist.entry(other)])
    assert views == {repeated: ["AP", "PA", "LL"], other: [""]}


def test_another_patients_film_is_no_film_of_the_study(worklist: Worklist) -> None:
    frontal, *_ = a_study(worklist)
    for film, other in (
        ("e", header("PA", patient_id="P-2")),
        ("f", header("PA", patient_name="Okafor^Ben")),
        ("g", header("PA", patient_birth_date="20200101")),
        ("h", header("PA", issuer_of_patient_id="Elsewhere")),
    ):
        stranger = enter(worklist, film, scored(film, 0.05, header=other))
        assert worklist.studies.others(stranger) == []
        assert stranger in listed(worklist, BY_STUDY)
    assert len(worklist.studies.others(frontal)) == 2

"""The fate of a line is drawn from the seed, the link and its number alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.cable.faults import MAX_OVERTAKEN, SETTINGS, Fate, Faults, parse, told
from lib.texts import Problem

PROBABILITIES = st.floats(0, 1)
ROUGH = st.builds(
    Faults,
    jitter=st.floats(0, 1000),
    loss=PROBABILITIES,
    repeat=PROBABILITIES,
    reorder=PROBABILITIES,
    seed=st.integers(0, 2**53).map(float),
)


@given(ROUGH, st.integers(1, 10**9))
def test_a_fate_can_be(faults, number):
    fate = faults.fate("a->b", number)
    assert fate == faults.fate("a->b", number), "the same twice"
    assert fate.copies in (0, 1, 2)
    assert 0 <= fate.jitter <= faults.jitter / 1000
    assert 0 <= fate.overtaken <= MAX_OVERTAKEN


def test_the_same_fates_for_ever():
    """Fates written down once: another Python, another machine and another year must do the same."""
    faults = Faults(jitter=100, loss=0.5, repeat=0.5, reorder=0.5, seed=7)
    fates = [faults.fate("c1->c2", number) for number in range(1, 9)]
    assert [fate.copies for fate in fates] == [2, 0, 1, 1, 1, 0, 2, 0]
    assert [fate.overtaken for fate in fates] == [2, 0, 2, 2, 0, 0, 2, 0]
    assert [round(fate.jitter * 1000) for fate in fates] == [73, 0, 22, 72, 57, 0, 16, 0]


@pytest.mark.parametrize(
    ("field", "happens"),
    [
        ("loss", lambda fate: fate.copies == 0),
        ("repeat", lambda fate: fate.copies == 2),
        ("reorder", lambda fate: fate.overtaken > 0),
    ],
)
@pytest.mark.parametrize("probability", [0.0, 0.05, 0.5, 1.0])
def test_it_happens_as_often_as_it_is_said(field, happens, probability):
    faults = Faults(**{field: probability})
    times = sum(happens(faults.fate("a->b", number)) for number in range(20_000))
    assert abs(times / 20_000 - probability) < 0.01


def test_jitter_and_the_number_of_those_that_pass_are_spread_evenly():
    fates = [Faults(jitter=1000, reorder=1).fate("a->b", number) for number in range(20_000)]
    assert abs(sum(fate.jitter for fate in fates) / 20_000 - 0.5) < 0.01
    for passing in range(1, MAX_OVERTAKEN + 1):
        assert abs(sum(fate.overtaken == passing for fate in fates) / 20_000 - 1 / MAX_OVERTAKEN) < 0.02


def test_one_fault_says_nothing_about_another_nor_one_link_about_another():
    """Independent dice: of the lines that are doubled here, as many as elsewhere are lost there."""
    faults = Faults(repeat=0.5, reorder=0.5)
    here = [faults.fate("a->b", number) for number in range(20_000)]
    there = [faults.fate("b->a", number) for number in range(20_000)]
    assert abs(sum(fate.copies == 2 and fate.overtaken > 0 for fate in here) / 20_000 - 0.25) < 0.01
    assert abs(sum(a.copies == b.copies for a, b in zip(here, there, strict=True)) / 20_000 - 0.5) < 0.01


def test_another_seed_is_another_fate_and_a_good_link_rolls_no_dice():
    lost = [{n for n in range(1000) if Faults(loss=0.5, seed=seed).fate("", n).copies == 0} for seed in (1, 2)]
    assert lost[0] != lost[1]
    assert Faults(delay=300, rate=1000).fate("a->b", 1) == Fate()


def test_settings_as_people_give_them():
    words = ["delai=300", "gigue=100", "perte=0,05", "doublon=.1", "desordre=1", "debit=1000", "graine=7", "delai=20"]
    assert parse(words) == Faults(20, 100, 0.05, 0.1, 1, 1000, 7)
    assert {SETTINGS[word.partition("=")[0]].field for word in words} == set(Faults.__slots__)
    assert parse([]) == Faults()


@pytest.mark.parametrize(
    "word", ["delai=", "delai", "delai=-1", "perte=1.1", "perte=nan", "debit=inf", "graine=x", "x=1", "=3"]
)
def test_a_setting_that_cannot_be_is_named(word):
    with pytest.raises(Problem) as caught:
        parse(["delai=1", word])
    assert caught.value.text.fr.startswith(f"{word} : ") and caught.value.text.en.startswith(f"{word}: ")


def test_settings_that_change_leave_the_others_as_they_are():
    before = parse(["delai=300", "perte=0.05", "graine=7"])
    after = parse(["perte=0", "doublon=1"], before)
    assert after == parse(["delai=300", "doublon=1", "graine=7"])
    assert parse([], before) == before


@given(ROUGH)
def test_settings_are_told_as_they_can_be_given(faults):
    assert parse(told(faults).split()) == faults


def test_a_good_link_has_nothing_to_tell():
    assert told(Faults()) == "" and told(Faults(delay=300, loss=0.05)) == "delai=300 perte=0.05"


def test_the_page_of_the_protocol_has_every_setting_and_every_command():
    from lib.cable.process import VERBS
    from tests.test_protocole import PAGE, first_column
    from tests.test_readme import quoted, tables_under

    settings, commands = tables_under(PAGE, "### Gâter un lien")
    assert first_column(settings) == list(SETTINGS)
    assert [quoted(row[0])[0].split()[0] for row in commands] == list(VERBS)

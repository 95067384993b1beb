"""How methods look."""

from hypothesis import given
from hypothesis import strategies as st

from lipbench.plugins import kinds, registry
from lipbench.reports.drawing.looks import KNOWN, looks


def test_a_method_looks_the_same_whatever_it_is_compared_with() -> None:
    assert looks(["wc", "gn"])["gn"] == looks(["sn", "mine", "gn", "gp[weight=1.0]"])["gn"]
    assert looks(["mine"])["mine"] == looks(["mine", "gn", "gp[weight=1.0]", "wc"])["mine"]


def test_every_method_of_lipbench_has_a_look_of_its_own() -> None:
    assert set(KNOWN) == set(registry.installed(kinds.METHOD))
    assert len(set(looks(KNOWN).values())) == len(KNOWN)
    assert len({look.colour for look in KNOWN.values() if look.dash == "-"}) == 10


def test_a_variant_has_the_colour_of_its_method_and_other_dashes() -> None:
    found = looks(["gp", "gp[weight=1.0]", "gp[weight=100.0]", "sn+gp"])
    assert found["gp[weight=1.0]"].colour == found["gp[weight=100.0]"].colour == found["gp"].colour
    assert len(set(found.values())) == 4


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=60))
def test_methods_of_one_figure_never_look_alike(names: set[str]) -> None:
    assert len(set(looks(names).values())) == len(names)

"""Where things lie on this machine."""

import os
from pathlib import Path

import pytest

from lipbench import places


def test_places_are_environment_variables_with_defaults_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (places.CACHE, places.DATA, places.INCEPTION):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert places.cache_folder() == Path("/somewhere/lipbench")
    assert places.data_root() == Path("/somewhere/lipbench/data")
    assert places.inception_weights() is None
    monkeypatch.setenv(places.CACHE, "~/here")
    assert places.cache_folder() == Path.home() / "here"


def test_places_are_set_for_a_block_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(places.DATA, "/before")
    monkeypatch.delenv(places.INCEPTION, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZeroDivisionError), places.at("data", "weights.pth"):
        assert places.data_root() == tmp_path / "data"
        assert places.inception_weights() == tmp_path / "weights.pth"
        raise ZeroDivisionError
    assert os.environ[places.DATA] == "/before"
    assert places.inception_weights() is None


def test_none_leaves_a_place_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.DATA, "/before")
    with places.at(None, None):
        assert places.data_root() == Path("/before")

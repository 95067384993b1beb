"""Where things lie on this machine."""

import os
from pathlib import Path

import pytest

from lipbench.disk import places
from lipbench.errors import RequestError


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


def test_a_user_without_a_home_needs_none_where_the_cache_is_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME", places.CACHE, places.DATA):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    with pytest.raises(RequestError, match=r"'~/\.cache/lipbench' begins with the home folder.*LIPBENCH_CACHE"):
        places.cache_folder()
    monkeypatch.setenv(places.CACHE, "/scratch")
    assert places.cache_folder() == Path("/scratch")
    assert places.data_root() == Path("/scratch/data")


def test_the_home_of_an_unknown_user_is_refused() -> None:
    with pytest.raises(RequestError, match="'~nobody-of-this-name/x' begins with the home folder of a user"):
        places.expanded("~nobody-of-this-name/x")
    assert not places.exists("~nobody-of-this-name/x")


@pytest.mark.parametrize("text", ["a" * 5000, "\0", "\ud800"])
def test_what_cannot_be_a_path_does_not_exist(text: str) -> None:
    assert not places.exists(text)

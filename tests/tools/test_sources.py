"""Which folders are merged, and which are refused."""

from pathlib import Path

import pytest

import lipbench
from lipbench.errors import LipbenchError
from tests.tools.merging import put, tree

REFUSED = [
    ([], "all", "no folder is given to merge; expected a results folder, which holds runs/"),
    (["nowhere"], "all", "nowhere' is not there; expected a results folder, which holds runs/, or the folder of a run"),
    (["empty"], "all", "empty' is a folder without runs; expected"),
    (["file"], "all", "file' is no folder; expected"),
    (["dangling"], "all", "dangling' is a link that leads nowhere; expected"),
    (["a/runs"], "all", "a folder of run folders .give '.*/a', if it is that of a results folder"),
    (["a", "a"], "all", "are the same folder; expected each once"),
    (["a", "link"], "all", "link' are the same folder; expected each once"),
    (["a"], "link", "are the same folder; .*another --into"),
    (["a", "RUN"], "all", "lies in '.*/a'; expected folders apart"),
    (["RUN"], "a", "lies in '.*/a'; expected folders apart"),
    (["a"], "a/more", "lies in '.*/a'; expected folders apart"),
    (["a"], "a/runs", "a folder of run folders; expected a results folder"),
    (["b"], "RUN", "a folder of a run; expected a results folder"),
    (["a"], "file", "cannot be written to: .*file' is a file; choose another with --into"),
    (["loop"], "all", "cannot be read|leads nowhere"),
    (["n" * 5000], "all", "cannot be read: File name too long; expected a results folder"),
]


@pytest.mark.parametrize(("folders", "into", "expected"), REFUSED)
@pytest.mark.parametrize("dry_run", [True, False])
def test_folders_that_cannot_be_merged_are_refused_with_the_cure(
    tmp_path: Path, folders: list[str], into: str, expected: str, dry_run: bool
) -> None:
    run = put(tmp_path / "a").path
    put(tmp_path / "b")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    before = tree(tmp_path)
    *given, target = [run if name == "RUN" else tmp_path / name for name in (*folders, into)]
    with pytest.raises(LipbenchError, match=expected):
        lipbench.merge(given, into=target, dry_run=dry_run)
    assert tree(tmp_path) == before
    assert not (tmp_path / "all").exists()


def test_a_link_to_a_results_folder_and_to_a_run_is_followed(tmp_path: Path) -> None:
    folder, other = put(tmp_path / "a"), put(tmp_path / "b", seed=1)
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "a" / "runs" / other.id).symlink_to(other.path)
    lipbench.merge(tmp_path / "link", into=tmp_path / "all")
    for run in (folder, other):
        copied = tmp_path / "all" / "runs" / run.id
        assert not copied.is_symlink()
        assert tree(copied) == tree(run.path)


def test_a_results_folder_that_cannot_be_read_or_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a")

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "touch", refuse)
        with pytest.raises(LipbenchError, match="all' cannot be written to: Permission denied; choose .* with --into"):
            lipbench.merge(tmp_path / "a", into=tmp_path / "all")
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(LipbenchError, match="runs' cannot be read: Permission denied; give yourself the permission"):
        lipbench.merge(tmp_path / "a", into=tmp_path / "all")

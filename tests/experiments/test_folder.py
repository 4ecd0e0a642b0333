from __future__ import annotations

from pathlib import Path

import pytest

from placid.errors import RunError
from placid.experiments.folder import RunFolder, fingerprint


def started(path: Path, text: str = "a: 1") -> RunFolder:
    folder = RunFolder(path)
    folder.open(text, fresh=False)
    folder.write_json("meta.json", {"fingerprint": fingerprint(text)})
    return folder


def test_the_same_scenario_goes_on(tmp_path: Path) -> None:
    folder = started(tmp_path / "run")
    folder.part("", "infida", 0).parent.mkdir(parents=True)
    folder.part("", "infida", 0).write_text("kept")
    folder.open("a: 1", fresh=False)
    assert folder.part("", "infida", 0).read_text() == "kept"


def test_another_scenario_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    folder = started(tmp_path / "run")
    with pytest.raises(RunError, match="another scenario or of another version"):
        folder.open("a: 2", fresh=False)
    assert (folder.path / "scenario.yaml").read_text() == "a: 1"


def test_fresh_deletes_the_run_and_nothing_else(tmp_path: Path) -> None:
    folder = started(tmp_path / "run")
    (folder.path / "notes.txt").write_text("mine")
    folder.parts.mkdir()
    folder.open("a: 2", fresh=True)
    assert (folder.path / "notes.txt").read_text() == "mine"
    assert not folder.parts.exists()
    assert not folder.meta.exists()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_of_other_things_is_refused(tmp_path: Path, fresh: bool) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match="holds no run"):
        RunFolder(tmp_path).open("a: 1", fresh=fresh)
    assert (tmp_path / "thesis.tex").exists()


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(RunError, match="is a file"):
        RunFolder(tmp_path / "run").open("a: 1", fresh=False)


def test_a_damaged_meta_is_told(tmp_path: Path) -> None:
    folder = started(tmp_path / "run")
    folder.meta.write_text('{"fingerprint": ')
    with pytest.raises(RunError, match=r"meta\.json is damaged"):
        folder.read_meta()


def test_names_become_distinct_files(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    names = [
        "infida",
        "infida (refresh=5)",
        "infida (refresh 5)",
        "my/policy",
        "my_policy",
        "../../etc",
        "Ünïcode",
    ]
    files = [folder.part("", name, 0) for name in names]
    assert len(set(files)) == len(names)
    assert all(file.parent == folder.parts / "0" for file in files)

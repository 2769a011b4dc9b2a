"""What an outsider has: a bundle, and an interpreter of their own with the package cryptography and nothing else."""

import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("cryptography", "cffi", "pycparser")


class Outsider(NamedTuple):
    """The interpreter of a fresh virtual environment."""

    python: Path

    def verify(self, folder: Path, *keys: str) -> "subprocess.CompletedProcess[str]":
        command = [str(self.python), "verify.py", *(part for key in keys for part in ("--key", key))]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={})

    def has(self, module: str) -> bool:
        asked = f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"
        command = [str(self.python), "-c", asked]
        return subprocess.run(command, cwd=self.python.parent, check=False, env={}).returncode == 0


def make_outsider(folder: Path) -> Outsider:
    """Make the environment; without a network, so its packages are copies of those that are here."""
    venv.create(folder, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    modules = folder / "lib" / version / "site-packages"
    for package in PACKAGES:
        for file in distribution(package).files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                copy = modules / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(Path(str(file.locate())).read_bytes())
    return Outsider(folder / "bin" / "python")


def unpack(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder

"""The folder of a sandbox: one sandbox at a time uses it, and nothing in it that somebody else wrote is overwritten.

What it holds is kept for the next start: the database with all history, what the cluster ran (see `kept`), and the
catalogue with whatever was changed in it by hand. Only the addresses in it are brought up to date.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from bot.domain.errors import SetupError
from bot.sandbox import scenery
from bot.sandbox.github.server import TOKEN
from bot.sandbox.kept import CLUSTER
from bot.sandbox.surroundings import Addresses

MARK = scenery.CATALOGUE.splitlines()[0]
"""The first line of a catalogue that a sandbox wrote."""

LOCK, ADDRESSES = "sandbox.lock", "addresses.json"
KEY, TOKEN_FILE = "cosign.pub", "github-token"
OURS = ("sluice.yaml", "sluice.db", "kubeconfig", "bot.log", "runbooks", ADDRESSES, CLUSTER, KEY, TOKEN_FILE)
"""What a sandbox writes besides its lock."""

FOLDERS = frozenset({"runbooks"})
"""Which of these are folders; the others are files."""

PORT_MOST = 65_535
SERVED = frozenset({"registry", "prometheus", "door", "github"})


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Be the only sandbox in a folder; ends with the process, even with kill -9.

    Raises SetupError for a folder that cannot be written, that another sandbox uses, or that holds files of its names
    that no sandbox wrote, or that it could not write again.
    """
    _require_ours(folder)
    _require_usable(folder)
    try:
        handle = (folder / LOCK).open("a")
    except OSError as exc:
        raise SetupError(f"nothing can be written in {folder} ({exc.strerror}); choose another --folder") from exc
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise SetupError(f"another sandbox uses {folder}; end it, or choose another --folder") from exc
        yield


def _require_ours(folder: Path) -> None:
    catalogue = folder / "sluice.yaml"
    try:
        written = catalogue.read_text(encoding="utf-8") if catalogue.is_file() else None
        is_known = (folder / LOCK).exists() if written is None else written.startswith(MARK)
        found = [name for name in OURS if (folder / name).exists()]
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError(f"{folder} cannot be read: {exc}") from exc
    if found and not is_known:
        raise SetupError(
            f"{folder} holds {', '.join(found)} of another installation, which the sandbox would overwrite; "
            "choose an empty --folder"
        )


def _require_usable(folder: Path) -> None:
    """Nothing has been started and nothing written yet: each of our names is free, or what we keep there."""
    for name in (*OURS, LOCK):
        path = folder / name
        if not path.exists():
            continue
        there, ours = ("folder" if is_folder else "file" for is_folder in (path.is_dir(), name in FOLDERS))
        if there != ours:
            raise SetupError(
                f"{path} is a {there}, and the sandbox keeps a {ours} of that name; move it away, or choose another "
                "--folder"
            )
        if not os.access(path, os.R_OK | os.W_OK):
            raise SetupError(
                f"{path} is not yours to read and write; give yourself the rights, or choose another --folder"
            )


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Whatever cannot be written into the folder inside the block is a SetupError that names it."""
    try:
        yield
    except OSError as exc:
        if exc.filename is None:
            raise  # not of a file
        raise SetupError(
            f"{exc.filename} cannot be written ({exc.strerror}); mend that, or choose another --folder than {folder}"
        ) from exc


def ports(folder: Path) -> Mapping[str, int]:
    """Where the stand-ins were in the sandbox's life before, by name as in `Addresses`: images are known by that
    address, and what is under way goes on with the ones it began with. Nothing where there was no life before."""
    found = {name: address.rpartition(":")[2] for name, address in _before(folder).items() if name in SERVED}
    return {name: int(port) for name, port in found.items() if port.isdecimal() and int(port) <= PORT_MOST}


def write(folder: Path, at: Addresses, *, public_key: str) -> Path:
    """The catalogue and its runbooks with these addresses; what was changed by hand stays. Returns its path.
    `public_key` is whose signatures count. Raises SetupError for what cannot be written."""
    now = {key: str(value) for key, value in asdict(at).items()}
    catalogue, runbook = folder / "sluice.yaml", folder / "runbooks" / "canary.yaml"
    with written(folder):
        (folder / KEY).write_text(public_key, encoding="utf-8")
        (folder / TOKEN_FILE).write_text(TOKEN, encoding="utf-8")
        runbook.parent.mkdir(exist_ok=True)
        if not runbook.exists():
            runbook.write_text(scenery.CANARY, encoding="utf-8")
        catalogue.write_text(_catalogue(folder, catalogue, now), encoding="utf-8")
        (folder / ADDRESSES).write_text(json.dumps(now, indent=2), encoding="utf-8")
    return catalogue


def _catalogue(folder: Path, path: Path, now: Mapping[str, str]) -> str:
    """The one that is there, with the addresses of now; a new one where there is none."""
    if not path.exists():
        return scenery.catalogue(
            kubeconfig=now["kubeconfig"],
            registry=now["registry"],
            prometheus=now["prometheus"],
            door=now["door"],
            github=now["github"],
            folder=str(folder),
        )
    text = path.read_text(encoding="utf-8")
    for key, before in _before(folder).items():
        text = text.replace(before, now.get(key, before))
    return text


def _before(folder: Path) -> dict[str, str]:
    """The addresses of the life before."""
    path = folder / ADDRESSES
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): str(value) for key, value in found.items()}
    except (ValueError, AttributeError) as exc:
        raise SetupError(f"{path} cannot be read ({exc}); choose an empty --folder") from exc

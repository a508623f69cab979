"""Compiles what is measured: the load generator, raw C, Go and tokio, into Benchmarks/.build."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .processes import Failure
from .settings import FOLDER, Settings

PEERS = FOLDER / "peers"

# Where Debian's librust-*-dev packages unpack their crates: a directory source for cargo.
CRATES = Path("/usr/share/cargo/registry")


def _fresh(product: Path, *sources: Path) -> bool:
    return product.exists() and all(
        product.stat().st_mtime >= source.stat().st_mtime for source in sources)


def _run(command: list[str], **options) -> None:
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        wrong = [line for line in lines if "error" in line] or lines or ["no output"]
        raise Failure(f"{Path(command[0]).name}: {wrong[0][:200]}")


def compiler() -> str | None:
    return next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)


def c_program(settings: Settings, source: Path) -> Path:
    """Compiles one C file, optimised and without debug information."""
    product = settings.build / source.stem
    if not _fresh(product, source):
        found = compiler()
        if not found:
            raise Failure("no C compiler (package gcc)")
        settings.build.mkdir(parents=True, exist_ok=True)
        _run([found, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(product),
              str(source)])
    return product


def load(settings: Settings) -> Path:
    return c_program(settings, FOLDER / "load.c")


def raw(settings: Settings) -> Path:
    return c_program(settings, PEERS / "raw.c")


def go(settings: Settings, name: str) -> Path:
    source, product = PEERS / f"{name}.go", settings.build / f"{name}-go"
    if not _fresh(product, source):
        settings.build.mkdir(parents=True, exist_ok=True)
        _run(["go", "build", "-o", str(product), str(source)])
    return product


def tokio(settings: Settings) -> Path:
    """Builds the tokio server from the distribution's own crates, offline.

    The package is copied first: cargo writes a lock file and a target folder beside it."""
    source, work = PEERS / "tokio", settings.build / "tokio"
    product = work / "target/release/echo"
    inputs = (source / "Cargo.toml", source / "src/main.rs")
    if not _fresh(product, *inputs):
        shutil.copytree(source, work, dirs_exist_ok=True)
        _run(["cargo", "build", "--release", "--offline",
              "--config", 'source.crates-io.replace-with="debian"',
              "--config", f'source.debian.directory="{CRATES}"'], cwd=work)
        product.touch()  # cargo leaves an unchanged product's time alone
    return product

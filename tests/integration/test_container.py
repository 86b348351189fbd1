"""What the container holds suffices to serve, and the compose file names what is there.

No container engine is needed: the files that the image gets are laid out in a folder, and started
with the image's own settings and commands.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_app.settings import PROJECT, Settings

DEPLOY = PROJECT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = (DEPLOY / "compose.yaml").read_text()
STAGE = DOCKERFILE.split("\nFROM ")[-1]


def instructions(name: str, text: str = STAGE) -> list[str]:
    return re.findall(rf"^{name} +(.*)$", text, re.MULTILINE)


def copied() -> list[tuple[str, str]]:
    """Return source and target of what comes from the project."""
    pairs = [shlex.split(line) for line in instructions("COPY") if not line.startswith("--from")]
    return [(source, target) for source, target in pairs]


def command(line: str) -> list[str]:
    """Return an instruction's command, by this Python."""
    words: list[str] = json.loads(line[line.index("[") :])
    return [sys.executable, *words[1:]]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The folder of the program as the image has it, which nobody may write to."""
    root = tmp_path / "image"
    root.mkdir()
    for source, target in copied():
        place = root / (source if target == "./" else target)
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / source, place)
    return root


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The settings of the image, with folders of this test."""
    found = dict(pair.split("=", 1) for pair in shlex.split(instructions("ENV")[0]))
    found["PATH"] = os.environ["PATH"]
    for name, value in found.items():
        if value in {"/data", "/audit"}:
            (tmp_path / value[1:]).mkdir(exist_ok=True)
            found[name] = str(tmp_path / value[1:])
    return found


@pytest.fixture
def server(image: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    (start,) = instructions("CMD")
    port = ["--server.port=0"]
    with subprocess.Popen(
        [*command(start), *port], cwd=image, env=environment, stdout=subprocess.PIPE
    ) as running:
        yield running
        running.terminate()


def test_the_image_serves_and_is_healthy(
    server: subprocess.Popen[bytes], image: Path, environment: dict[str, str]
) -> None:
    assert server.stdout is not None
    url = next(
        found[0]
        for line in iter(server.stdout.readline, b"")
        if (found := re.findall(rb"http://[\d.:]+", line))
    ).decode()
    (health,) = re.findall(r"^ *(?:HEALTHCHECK.*)?CMD (\[.*urlopen.*)$", STAGE, re.MULTILINE)
    probe = [word.replace("http://127.0.0.1:8501", url) for word in command(health)]
    deadline = time.monotonic() + 120
    while subprocess.run(probe, env=environment, stderr=subprocess.DEVNULL, check=False).returncode:
        assert time.monotonic() < deadline, "the image does not become healthy"
        time.sleep(0.5)
    assert not list(image.rglob("__pycache__")), "its file system is read-only"


def test_the_image_has_what_the_program_needs_and_no_more() -> None:
    sources = {source for source, _ in copied()}
    assert {"app.py", "cxr_app", "training", "weights", ".streamlit"} == sources
    kept = {
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert sources | set(shlex.split(instructions("COPY", DOCKERFILE)[0])[:-1]) == kept


def test_nobody_is_root_in_the_image() -> None:
    (user,) = instructions("USER")
    assert int(user) > 0
    assert f"--uid {user}" in STAGE


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE], ids=["Dockerfile", "compose"])
def test_both_set_what_the_program_reads(text: str) -> None:
    named = {name.lower() for name in re.findall(r"\bCXR_([A-Z_]+)", text)}
    assert named <= set(Settings.model_fields)


def test_the_compose_file_names_files_that_are_there() -> None:
    for name in re.findall(r"- (\.\.?/[^:]+):", COMPOSE):
        assert (DEPLOY / name).is_file(), name
    assert (DEPLOY / ".." / re.findall(r"dockerfile: (.*)", COMPOSE)[0]).is_file()
    for name in re.findall(r"REQUIREMENTS[:=].*?(requirements[\w-]*\.txt)", COMPOSE + DOCKERFILE):
        assert (PROJECT / name).is_file(), name

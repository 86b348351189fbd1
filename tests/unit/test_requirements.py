"""The requirements of machines without CUDA: other builds of the same versions, and the rest."""

import re
from pathlib import Path

from packaging.requirements import Requirement

REQUIREMENTS = "requirements.txt"


def pins(path: Path) -> dict[str, Requirement]:
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {each.name: each for each in found}


def test_the_builds_for_the_cpu_are_of_the_versions_that_are_pinned(project_root: Path) -> None:
    pinned = pins(project_root / REQUIREMENTS)
    for_cpu = pins(project_root / "requirements-cpu.txt")
    assert set(for_cpu) == {"torch", "torchvision"}
    for name, requirement in for_cpu.items():
        (version,) = (each.version for each in requirement.specifier)
        assert version.endswith("+cpu")
        assert pinned[name].specifier.contains(version), "pip must be able to meet both"


def test_a_machine_without_cuda_needs_all_the_rest(project_root: Path) -> None:
    text = (project_root / "requirements-cpu.txt").read_text("utf-8")
    assert f"-r {REQUIREMENTS}" in text.splitlines()


def test_every_requirement_is_on_the_page_of_dependencies(project_root: Path) -> None:
    page = (project_root / "docs" / "dependencies.md").read_text("utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")]
    written = {row[0].removeprefix("| "): row[1] for row in rows if row[0] != "| package"}
    files = (REQUIREMENTS, "requirements-ray.txt", "requirements-dev.txt")
    required = {
        name: next(iter(requirement.specifier)).version
        for file in files
        for name, requirement in pins(project_root / file).items()
    }
    assert written == required, "check the package, then write it into docs/dependencies.md"
    assert re.search(r"Checked on \d{4}-\d\d-\d\d", page)
    assert all(row[2].strip(" |") for row in rows), "each has a licence"

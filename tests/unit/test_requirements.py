"""The requirements of machines without CUDA: other builds of the same versions, and the rest."""

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

from pathlib import Path

import pytest

from cxr_app.errors import SettingsError
from cxr_app.model import networks
from training.fit.recipe import PROJECT_RECIPES, read_recipe

WHOLE = 'architecture = "resnet18"\nstages = [{size = 64, epochs = 1}]\n'


@pytest.mark.parametrize("path", sorted(PROJECT_RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_reads_and_has_its_network(path: Path) -> None:
    recipe = read_recipe(path.stem)

    assert recipe.name == path.stem
    assert recipe.architecture in networks.NETWORKS
    assert [recipe.stage_at(epoch).size for epoch in range(recipe.epochs)][-1] == recipe.size


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="resnet18"):
        read_recipe("resnet19")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('architecture = "resnet18"\nlr = 1\nstages = [{size = 64, epochs = 1}]', "lr"),
        ('architecture = "resnet18"', "no stages"),
        (
            'architecture = "resnet18"\nstages = [{size = 64, epochs = 1}]\n'
            "[augmentation]\nrotate = 3",
            "rotate",
        ),
        (
            'architecture = "resnet18_two_scales"\nstages = [{size = 65, epochs = 1}]',
            "is made of resnet18, resnet18_coarse",
        ),
        (
            'architecture = "resnet18"\n'
            'stages = [{size = 65, epochs = 1, architecture = "four_conv"}]',
            "train four_conv; resnet18 is made of resnet18",
        ),
        (f'{WHOLE}learning_rate = "fast"', "learning_rate = 'fast'"),
        (f"{WHOLE}batch_size = -3", "batch_size = -3"),
        (f"{WHOLE}augmentation = {{flip = 1.5}}", r"augmentation\.flip = 1\.5"),
    ],
)
def test_an_impossible_recipe_is_refused_by_name(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=expected):
        read_recipe(str(path))


def test_each_stage_trains_the_network_that_it_names() -> None:
    recipe = read_recipe("resnet18_two_scales")

    fine, coarse = recipe.members

    assert [stage.size for stage in fine.stages] == [113, 161, 193]
    assert {stage.architecture for stage in coarse.stages} == {"resnet18_coarse"}
    assert fine.epochs + coarse.epochs == recipe.epochs
    assert fine.size == coarse.size == recipe.size
    assert fine.augmentation == read_recipe("resnet18").augmentation


def test_a_seed_from_the_command_line_replaces_the_recipes() -> None:
    assert read_recipe("resnet18", seed=7).seed == 7

from pathlib import Path

import pytest

from cxr_app.errors import JobError, SettingsError
from cxr_app.jobs.recipe_list import (
    PROJECT_RECIPES,
    SHIPPED,
    read_recipe_file,
    recipe_named,
    recipes,
    refused_recipes,
)
from cxr_app.settings import Settings

SOUND = 'architecture = "resnet18"\nstages = [{size = 64, epochs = 1}]\n'


def write(folder: Path, text: str, name: str = "odd") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(PROJECT_RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_of_the_project_is_accepted(path: Path) -> None:
    assert read_recipe_file(path).name == path.stem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SOUND + 'learning_rate = "fast"', "learning_rate = 'fast'"),
        (SOUND + "learning_rate = 0", "learning_rate = 0"),
        (SOUND + "learning_rate = inf", "learning_rate = inf"),
        (SOUND + "batch_size = -3", "batch_size = -3"),
        (SOUND + "batch_size = 3.5", "batch_size = 3.5"),
        (SOUND + "batch_size = true", "batch_size = True"),
        (SOUND + "label_smoothing = 1.0", "label_smoothing = 1.0"),
        (SOUND + "average_decay = 1", "average_decay = 1"),
        (SOUND + "patience = -1", "patience = -1"),
        (SOUND + "seed = -1", "seed = -1"),
        (SOUND + 'schedule = "cosine"', "schedule = 'cosine'; allowed are 'one_cycle' or"),
        (SOUND + 'initialisation = "zero"', "initialisation = 'zero'; allowed are 'random' or"),
        (SOUND + "lr = 1", "unknown key lr; allowed are architecture, augmentation, average_decay"),
        (SOUND + "[augmentation]\nrotate = 3", "augmentation.rotate; allowed are aspect, border"),
        (SOUND + "[augmentation]\nflip = 1.5", "augmentation.flip = 1.5"),
        ('architecture = "resnet18"', "no stages"),
        ('architecture = "resnet18"\nstages = []', "stages"),
        ('architecture = "resnet18"\nstages = [{size = 64, epochs = 0}]', "stages.0.epochs = 0"),
        ('architecture = "resnet18"\nstages = [{size = 0, epochs = 1}]', "stages.0.size = 0"),
        ('architecture = "resnet18"\nstages = [{size = 64}]', "no stages.0.epochs"),
        (
            'architecture = "resnet18"\nstages = [{size = 9, epochs = 1, x = 1}]',
            "stages.0.x; allow",
        ),
        ("stages = [{size = 64, epochs = 1}]", "no architecture"),
        ('architecture = "resnet19"\nstages = [{size = 64, epochs = 1}]', "'resnet19'; allowed"),
        (
            'architecture = "resnet18"\nstages = [{size = 9, epochs = 1, architecture = "vgg19"}]',
            "train vgg19; resnet18 is made of resnet18",
        ),
        ("architecture =", "not valid TOML"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_recipe_file(write(tmp_path, text))

    assert words in str(refused.value)
    assert "odd.toml" in str(refused.value)


def test_all_wrong_values_are_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, SOUND + 'learning_rate = "fast"\nbatch_size = -3')

    with pytest.raises(SettingsError, match=r"batch_size = -3.*learning_rate = 'fast'"):
        read_recipe_file(path)


def test_a_refused_recipe_cannot_be_chosen_and_says_why(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    write(settings.recipes_dir, SOUND, "quick")
    write(settings.recipes_dir, SOUND + "batch_size = -3", "odd")
    (settings.recipes_dir / "binary.toml").write_bytes(b"\xff\xfe")

    names = [recipe.name for recipe in recipes(settings)]
    assert names[0] == SHIPPED
    assert "quick" in names
    assert "odd" not in names
    binary, odd = refused_recipes(settings)
    assert "binary.toml" in binary
    assert "batch_size = -3" in odd
    with pytest.raises(JobError, match="batch_size = -3"):
        recipe_named(settings, "odd")
    with pytest.raises(JobError, match="no such recipe"):
        recipe_named(settings, "resnet19")


def test_a_site_cannot_replace_a_recipe_of_the_project(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    write(settings.recipes_dir, SOUND, SHIPPED)

    assert recipe_named(settings, SHIPPED).path == PROJECT_RECIPES / f"{SHIPPED}.toml"


def test_the_last_stage_decides_the_size_and_overrides_win(tmp_path: Path) -> None:
    text = 'architecture = "resnet18"\nstages = [{size=64, epochs=2}, {size=96, epochs=3}]'
    recipe = read_recipe_file(write(tmp_path, text), seed=7)

    assert (recipe.size, recipe.epochs, recipe.seed) == (96, 5, 7)
    assert [recipe.stage_at(epoch).size for epoch in range(5)] == [64, 64, 96, 96, 96]
    assert recipe.as_document()["stages"][0]["size"] == 64


def test_the_epochs_of_all_networks_of_a_recipe_are_counted() -> None:
    shipped = recipes(Settings())[0]
    assert shipped.epochs == 2 * read_recipe_file(shipped.path).epochs  # two networks, in turn

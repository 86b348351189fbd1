from typing import Any

from cxr_app.ui.panels.training_curves import training_curves


def epoch(number: int, architecture: str) -> dict[str, Any]:
    return {
        "epoch": number,
        "architecture": architecture,
        "train_loss": 1.0 / number,
        "tune_auroc": 0.9,
    }


def test_the_curves_of_another_network_start_again() -> None:
    epochs = [epoch(1, "fine"), epoch(2, "fine"), epoch(3, "coarse")]

    figure = training_curves(epochs, total=4)

    for line in figure.data:
        assert list(line.x) == [1, 2, None, 3]
        assert list(line.y)[2] is None
        assert not line.connectgaps
    named = {(note.x, note.text) for note in figure.layout.annotations}
    assert named == {(1, "fine"), (3, "coarse")}


def test_epochs_of_an_older_program_name_no_network() -> None:
    lines = [epoch(number, "") for number in (1, 2)]
    for line in lines:
        del line["architecture"]

    figure = training_curves(lines, total=None)

    assert list(figure.data[0].x) == [1, 2]
    assert not figure.layout.annotations

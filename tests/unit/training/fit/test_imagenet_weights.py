import torch

from training.fit.imagenet_weights import convert


def test_tensors_get_their_names_here_and_the_last_layers_are_left_out() -> None:
    stem = torch.randn(4, 3, 3, 3)
    converted = convert(
        {
            "_conv_stem.weight": stem,
            "_bn0.running_mean": torch.randn(4),
            "_bn0.num_batches_tracked": torch.tensor(7),
            "_blocks.2._expand_conv.weight": torch.randn(8, 4, 1, 1),
            "_blocks.2._bn1.weight": torch.randn(8),
            "_conv_head.weight": torch.randn(8, 4, 1, 1),
            "_fc.weight": torch.randn(3, 8),
        }
    )
    assert converted.keys() == {
        "stem.0.weight",
        "stem.1.running_mean",
        "blocks.2.expand.0.weight",
        "blocks.2.depthwise.1.weight",
    }
    assert torch.equal(converted["stem.0.weight"], stem.sum(dim=1, keepdim=True).half())
    assert converted["stem.1.running_mean"].dtype == torch.float32

"""What the logits of a network stand for, in their order."""

CLASSES = ("normal", "bacterial", "viral")
"""Order of the logits."""
BINARY_CLASSES = ("normal", "pneumonia")
"""Order of the logits of a network that does not distinguish causes."""

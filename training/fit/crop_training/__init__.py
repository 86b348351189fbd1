"""Training of the networks that read the crop of the lungs and the whole film."""

"""Training of the network that reads the crop of the lungs."""

"""Training and report of the network that recognises frontal chest films."""

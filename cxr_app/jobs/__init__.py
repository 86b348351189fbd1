"""Work in processes of its own, for as long as it takes or the server runs."""

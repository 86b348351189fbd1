"""Long work in processes of its own: started, followed, stopped."""

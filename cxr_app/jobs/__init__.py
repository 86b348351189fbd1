"""Long-running jobs in processes of their own: started, followed, stopped."""

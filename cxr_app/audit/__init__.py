"""Who did what when, from where and to whom: chained by hash, apart from the worklist."""

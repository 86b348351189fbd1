"""How the tables came to be, step by step; `cxr_app.worklist.database` applies what is missing.

A new step: change `tables`, add the file below ``versions``, set `database.HEAD`. A test compares
the migrated database with the tables, on SQLite and on PostgreSQL.
"""

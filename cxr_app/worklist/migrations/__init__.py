"""The migrations of the tables; `cxr_app.worklist.database` applies the missing ones.

To add one: change `tables`, add a file below ``versions``, set `database.HEAD`. A test compares the
migrated database with the tables, on SQLite and on PostgreSQL.
"""

"""A triage desk for chest radiographs: it flags and orders films, a reader reads every one."""

"""A triage desk for chest radiographs: it flags and orders films; a person reads each of them."""

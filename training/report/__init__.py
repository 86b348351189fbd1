"""The report of a checkpoint on labelled films: report.json, and report.html beside it."""

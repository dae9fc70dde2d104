"""The report of runs (tools/report.py): reading them, charts, sections of the page, other formats."""

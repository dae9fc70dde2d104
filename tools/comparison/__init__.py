"""The comparison of methods (tools/compare.py): its plan, its steps, its tables."""

"""The job engine beside what it replaced: see docs/decisions/0006-jobs-need-no-engine-of-their-own.md."""

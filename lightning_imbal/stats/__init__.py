"""What the files of finished runs say: intervals, tests, notes, advice."""

"""Scores with intervals. Start at `evaluation.run.evaluate`."""

"""Concealed, reproducible allocation: method `trial-randomisation/1`. Imports nothing of the trial."""

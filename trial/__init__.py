"""Hedgerow: trial management and data capture for a green-prescription feasibility trial."""

__version__ = "0.1.0"

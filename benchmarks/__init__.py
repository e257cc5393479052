"""Figures beside a floor measured in the same run; never asserted in a timed test."""

"""Vouchers for questionnaires and travel costs: offered, approved by another person, paid."""

"""The acceptance test of a draft: scripted cases, executed for real with a test secret, never in the live database."""

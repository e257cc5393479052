"""The randomisation office: the life of each scheme from draft to close, as pages."""

"""What people may ask about their data, how long it is kept, and what happens when some of it gets out (R-35 to R-37)."""

"""What people may ask about their data, how long it is kept, and breaches of it (R-35 to R-37)."""

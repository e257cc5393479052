"""Pure functions of `trial-randomisation/1`: integers and fractions only, standard library only (13.14)."""

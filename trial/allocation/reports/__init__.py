"""What the randomisation reports: public statement, inspection pack, reveal and its verification."""

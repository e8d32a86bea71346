"""What was not set, decided."""

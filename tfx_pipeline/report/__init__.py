"""What people look at after a run: one page, and the same figures as JSON."""

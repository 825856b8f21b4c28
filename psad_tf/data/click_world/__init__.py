"""A simulated world of users and items in which the worth of every list is known."""

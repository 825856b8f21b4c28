"""How fast models are beside what the machine allows."""

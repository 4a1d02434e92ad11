"""How far each number exceeds chance."""

"""The figures. Each function takes tables and returns a matplotlib figure."""

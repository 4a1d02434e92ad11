"""DIP connections: how far apart every two drugs are, and the map drawn from it."""

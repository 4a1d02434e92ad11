"""From a table of any format to one normalized profile per drug."""

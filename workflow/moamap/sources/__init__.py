"""Where the data come from: locations, downloads, checksums. No science."""

"""Text on packs: lines found in a picture, read, and cut into words."""

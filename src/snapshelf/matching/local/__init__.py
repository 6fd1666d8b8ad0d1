"""Local features: key points found, matched and verified."""

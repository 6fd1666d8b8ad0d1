"""One module per feed format: each turns a feed into rows whose fields are not yet understood."""

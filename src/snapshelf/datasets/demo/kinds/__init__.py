"""The kinds of product that the demo shop sells, and how each is drawn."""

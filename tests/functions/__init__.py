"""The functions of the product, against the stack they call."""

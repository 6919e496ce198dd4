"""Which parameters matter, beyond chance, and the report's section of them."""

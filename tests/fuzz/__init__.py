"""What the decoder makes of records near the edge, beside what the model makes of them."""

"""Money that comes in from outside: what a payment provider must offer, the one that there is, and receiving."""

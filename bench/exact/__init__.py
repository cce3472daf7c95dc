"""`make bench-exact`: arrivals made to break limiters, and a count of what broke."""

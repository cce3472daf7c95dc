"""The hot path: decides each request, counts it, answers it, and says so in a usage event. Nothing imports it."""

"""A simulated quarter: the road from requests to statements under changes and crashes, and its recomputation."""

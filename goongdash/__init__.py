"""The project: settings, URLs, the schedule, and its own servers."""

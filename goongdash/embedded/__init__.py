"""The project's own PostgreSQL and Redis: real servers on unix sockets, for where the environment names none.

`paths` says where things lie, and imports nothing; commands and tests go in by `servers.using_servers`.
"""

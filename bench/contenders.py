"""All that can be measured, in the order of the report."""

from __future__ import annotations

from bench.floors import FLOORS
from bench.gates import GATES
from bench.peers.haproxy import HAPROXY_PEERS
from bench.peers.nginx import NGINX_PEERS
from bench.peers.node import NODE_PEERS
from bench.peers.python import PYTHON_PEERS

CONTENDERS = [*FLOORS, *GATES, *HAPROXY_PEERS, *NGINX_PEERS, *NODE_PEERS, *PYTHON_PEERS]
BY_NAME = {contender.name: contender for contender in CONTENDERS}

"""Milliseconds from the deletion of a key until each gate refuses it, and until every gate has confirmed that."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from contextlib import ExitStack

from django.conf import settings

from accounts.gates import gates_known
from accounts.receipts import receipt_read
from accounts.registration import account_register
from keys.services import CreatedKey, key_create, key_revoke
from tests.processes import free_port, running_gate

N_GATES = 3
N_KEYS = 300
PAUSE_S = 0.002
TIMEOUT_S = 60.0


def measure() -> dict[str, float]:
    """Each key is asked for at every gate, again and again, while it is deleted. Counted from before the deletion.

    `deletion` is what the user waits for; `accepted` ends with the last answer that is not yet a refusal, `refused`
    with the first refusal of the slowest gate, which has then read the key again; `confirmed` is the receipt's.
    """
    account = account_register(email=f"bench{free_port()}@example.com", password=None)
    with ExitStack() as stack:
        ports = [stack.enter_context(running_gate(redis_prefix=settings.REDIS_PREFIX)).port for _ in range(N_GATES)]
        _wait_until_announced()
        waits = [_revoke(key_create(account=account, key_type="rest", name=f"{n}"), ports) for n in range(N_KEYS)]
    return {f"{name}_{what}_ms": value for name, found in _by_name(waits) for what, value in _summary(found).items()}


def _wait_until_announced() -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while len(gates_known()) < N_GATES:
        if time.monotonic() > deadline:
            raise RuntimeError("The gates have not announced themselves.")
        time.sleep(0.05)


def _revoke(created: CreatedKey, ports: list[int]) -> dict[str, float]:
    """Milliseconds of one deletion, by what ends them."""
    seen: list[tuple[float, float]] = []
    knowing = threading.Barrier(len(ports) + 1)
    callers = [threading.Thread(target=_ask, args=(port, created.text, knowing, seen)) for port in ports]
    for caller in callers:
        caller.start()
    knowing.wait(TIMEOUT_S)
    started = time.perf_counter()
    key_revoke(key=created.key)
    deleted = time.perf_counter()
    for caller in callers:
        caller.join(TIMEOUT_S)
    if len(seen) < len(ports):
        raise RuntimeError("A gate still accepts a deleted key.")
    return {
        "deletion": (deleted - started) * 1_000,
        "accepted": max(0.0, max(accepted_at for accepted_at, _ in seen) - started) * 1_000,
        "refused": (max(refused_at for _, refused_at in seen) - started) * 1_000,
        "confirmed": _confirmed_ms(created.key.lookup_digest),
    }


def _ask(port: int, text: str, knowing: threading.Barrier, seen: list[tuple[float, float]]) -> None:
    """One caller at one gate, who goes on until the key is refused. The account's limits do not count as that."""
    accepted_at = 0.0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    deadline, is_known = time.monotonic() + TIMEOUT_S, False
    while time.monotonic() < deadline:
        connection.request("GET", "/_gate/auth", headers={"X-Original-URI": f"/v2/geocode?address=x&api_key={text}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 403:
            seen.append((accepted_at, time.perf_counter()))
            return
        accepted_at = time.perf_counter()
        if not is_known:
            is_known = True
            knowing.wait(TIMEOUT_S)
        time.sleep(PAUSE_S)


def _confirmed_ms(digest: str) -> float:
    """By Redis's clock, from when the gates were asked to the last confirmation."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        receipt = receipt_read(digest)
        if (
            receipt is not None
            and receipt.n_counted == N_GATES
            and not receipt.missing
            and receipt.taken_ms is not None
        ):
            return receipt.taken_ms
        time.sleep(0.01)
    raise RuntimeError("A gate has not confirmed.")


def _by_name(waits: list[dict[str, float]]) -> list[tuple[str, list[float]]]:
    return [(name, [wait[name] for wait in waits]) for name in waits[0]]


def _summary(waits_ms: list[float]) -> dict[str, float]:
    return {
        "p50": statistics.median(waits_ms),
        "p99": statistics.quantiles(waits_ms, n=100)[98],
        "worst": max(waits_ms),
    }

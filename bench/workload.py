"""What is asked: which key, from which web site and address, and what a right server answers. Pure.

A few keys make most of the requests (Zipf). Callers are many, so that none of them meets the rate limit, which
would let the mix of answers hang on the server's pace; what is refused is refused at any pace.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bench.keys import N_QUOTA_KEYS, BenchKey

N_QUESTIONS = 100_000
SEED = 20_261_125
API_PATH, TILES_PATH = "/v2/geocode?address=Hanoi", "/assets/goong_map_web.json?v=1"
# What share of the requests is refused, for each reason. Together seven in a hundred.
FOREIGN_ORIGIN, WRONG_TYPE, USED_UP = 0.03, 0.02, 0.02


@dataclass(frozen=True, slots=True)
class Question:
    """A request. `key` is the key's place in the list, `status` the right answer."""

    key: int
    path: str
    referer: str
    ip: str
    status: int


Encode = Callable[[Question, str], bytes]


def make_questions(keys: Sequence[BenchKey], n: int = N_QUESTIONS) -> list[Question]:
    """The same for the same keys, every time."""
    chance = random.Random(SEED)
    free = range(N_QUOTA_KEYS, len(keys))
    weights = list(accumulate(1 / rank for rank in range(1, len(free) + 1)))
    n_callers: Counter[int] = Counter()
    questions = []
    for key in chance.choices(free, cum_weights=weights, k=n):
        n_callers[key] += 1
        questions.append(_question(keys, key, n_callers[key], chance))
    return questions


def shares(questions: Sequence[Question]) -> dict[int, float]:
    """What share of the answers has which status, when all are right."""
    counted = Counter(question.status for question in questions)
    return {status: n / len(questions) for status, n in counted.items()}


def as_auth_request(question: Question, text: str) -> bytes:
    """As a proxy asks the gate."""
    return (
        "GET /_gate/auth HTTP/1.1\r\nHost: gate\r\n"
        f"X-Original-URI: {question.path}&api_key={text}\r\n"
        f"X-Forwarded-For: {question.ip}\r\nReferer: {question.referer}\r\n\r\n"
    ).encode()


def as_api_request(question: Question, text: str) -> bytes:
    """As a caller asks the API itself, through a load balancer that names the address."""
    return (
        f"GET {question.path}&api_key={text} HTTP/1.1\r\nHost: api\r\n"
        f"X-Forwarded-For: {question.ip}\r\nReferer: {question.referer}\r\n\r\n"
    ).encode()


def _question(keys: Sequence[BenchKey], key: int, n_caller: int, chance: random.Random) -> Question:
    ip = f"10.{n_caller >> 16 & 255}.{n_caller >> 8 & 255}.{n_caller & 255}"
    draw = chance.random()
    if draw < FOREIGN_ORIGIN:
        return Question(key, API_PATH, f"https://www.stranger{chance.randrange(50)}.example/", ip, 403)
    if draw < FOREIGN_ORIGIN + WRONG_TYPE:
        return Question(key, TILES_PATH, _site(keys[key], chance), ip, 403)
    if draw < FOREIGN_ORIGIN + WRONG_TYPE + USED_UP:
        key = chance.randrange(N_QUOTA_KEYS)
        return Question(key, API_PATH, _site(keys[key], chance), ip, 429)
    return Question(key, API_PATH, _site(keys[key], chance), ip, 200)


def _site(key: BenchKey, chance: random.Random) -> str:
    """A referer that the key allows: browsers send the origin and a slash, across sites."""
    host = chance.choice(key.patterns).removeprefix("http*://").removesuffix("/*")
    return f"https://{host.replace('*', chance.choice(('www', 'app', 'm')))}/"

"""Measurements. Without a name: `gate` and `freshness`, which `make bench` runs."""

from __future__ import annotations

import argparse
import json
import sys

from bench.cores import two_cores_or_exit
from bench.results import ORDER, number, table, write_section
from bench.servers import let_nothing_rewrite, measuring_servers

# A shorter run is for looking whether it works; its figures are not written down.
ROUNDS, SECONDS, N_KEYS, N_EXACT, N_RECORDS, N_QUARTER = 5, 4.0, 10_000, 120_000, 10_000_000, 1_000
SIZES = "1000000,10000000"


def main() -> None:
    options = _options()
    commands = {
        "gate": _gate,
        "exact": _exact,
        "freshness": _freshness,
        "chart": _chart,
        "revocation": _revocation,
        "unknown_keys": _unknown_keys,
        "key_page": _key_page,
        "request_log": _request_log,
        "replay": _replay,
        "alerts": _alerts,
        "last_dollar": _last_dollar,
        "billing_page": _billing_page,
        "stats": _stats,
        "closing": _closing,
        "quarter": _quarter,
    }
    is_good = [commands[name](options) for name in options.names or ["gate", "freshness"]]
    sys.exit(0 if all(is_good) else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ORDER, []], help="default: gate, freshness")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each contender is measured")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each time, in whole seconds")
    parser.add_argument("--keys", type=int, default=N_KEYS, help="how many keys there are")
    parser.add_argument("--requests", type=int, default=N_EXACT, help="about how many `exact` sends")
    parser.add_argument("--records", default="", help="how many `request_log` and `closing` make, `stats` measures at")
    parser.add_argument("--seed", type=int, default=1, help="what `quarter` is made of")
    parser.add_argument("--accounts", type=int, default=N_QUARTER, help="how many accounts `quarter` has")
    parser.add_argument("--connections", default="64,8,256", help="how many at once; the first is reported first")
    parser.add_argument("--only", default="", metavar="NAME,…", help="which contenders; see bench/contenders.py")
    parser.add_argument("--json", action="store_true", help="figures on standard output, and nothing written down")
    return parser.parse_args()


def _gate(options: argparse.Namespace) -> bool:
    two_cores_or_exit()
    with measuring_servers() as data_dir:
        let_nothing_rewrite()
        # What knows the models can be imported only now.
        from bench.contenders import BY_NAME
        from bench.gate import run
        from bench.report import as_json, as_markdown
        from bench.throughput import Plan

        names = options.only.split(",") if options.only else list(BY_NAME)
        if unknown := set(names) - set(BY_NAME):
            raise SystemExit(f"There is no {', '.join(unknown)}; choose from {', '.join(BY_NAME)}.")
        plan = Plan(options.rounds, options.seconds, tuple(map(int, options.connections.split(","))))
        found = run(data_dir, names, plan, options.keys)
    if options.json:
        print(json.dumps(as_json(found), indent=2))
        return True
    is_whole = not options.only and plan.rounds >= 3 and plan.seconds >= 2 and options.keys == N_KEYS
    _tell("gate", as_markdown(found), is_whole=is_whole)
    return True


def _exact(options: argparse.Namespace) -> bool:
    """Whether nothing broke: nought wrong refusals, overshoots, overspent credit and contradictions."""
    with measuring_servers(has_own_store=False) as data_dir:
        from bench.exact.report import as_json, as_markdown
        from bench.exact.run import run

        found = run(data_dir, options.requests)
        if options.json:
            print(json.dumps(as_json(found), indent=2))
        else:
            _tell("exact", as_markdown(found), is_whole=options.requests >= 100_000)
    return found.is_clean


def _freshness(options: argparse.Namespace) -> bool:
    from bench.freshness import measure

    text = "From a request at the gate to its number on the statistics page, open in Chromium. Goal: p99 below 3 s."
    return _figures("freshness", text, measure(), options)


def _chart(options: argparse.Namespace) -> bool:
    from bench.chart import measure

    text = "From the swap of new statistics to the frame that shows their chart, in Chromium. Goal: below 200 ms."
    return _figures("chart", text, measure(), options)


def _revocation(options: argparse.Namespace) -> bool:
    with measuring_servers():
        from bench.revocation import measure

        text = "From the deletion of a key, made at a moment of no load, to its end at three gates, in milliseconds."
        return _figures("revocation", text, measure(), options)


def _unknown_keys(options: argparse.Namespace) -> bool:
    with measuring_servers():
        from bench.unknown_keys import measure

        text = "A flood of well-shaped keys that do not exist, and a caller of one that does."
        return _figures("unknown_keys", text, measure(), options)


def _key_page(options: argparse.Namespace) -> bool:
    with measuring_servers():
        from bench.key_page import measure

        text = "The list of an account with ten thousand keys, and patterns at their worst."
        return _figures("key_page", text, measure(), options)


def _alerts(options: argparse.Namespace) -> bool:
    from bench.alerts import measure

    text = "From the request at the gate that crosses half of a budget to the notice of it, in seconds."
    return _figures("alerts", text, measure(), options)


def _last_dollar(options: argparse.Namespace) -> bool:
    with measuring_servers(is_pinned=False):
        from bench.last_dollar import measure

        text = "The last dollar of an account, wanted at once over and over by all connections, at two prices."
        figures = measure()
        is_exact = not any(value for name, value in figures.items() if "overspent" in name or "differ" in name)
        return _figures("last_dollar", text, figures, options) and is_exact


def _billing_page(options: argparse.Namespace) -> bool:
    with measuring_servers():
        from bench.billing_page import measure

        text = (
            "The billing page of an account with two years of use by a thousand keys: the server's time for the page."
        )
        return _figures("billing_page", text, measure(), options)


def _replay(options: argparse.Namespace) -> bool:
    with measuring_servers():
        from bench.replay import measure

        text = "A list tried on the last seven days of a key with a million records: the server's time for the answer."
        return _figures("replay", text, measure(), options)


def _request_log(options: argparse.Namespace) -> bool:
    with measuring_servers():
        from bench.request_log import measure

        text = "Server time of the request log, whose every third record is the account's, over thirty days."
        n_records = int(options.records or N_RECORDS)
        return _figures("request_log", text, measure(n_records), options, is_whole=n_records >= N_RECORDS)


def _stats(options: argparse.Namespace) -> bool:
    sizes = [int(text) for text in (options.records or SIZES).split(",")]
    with measuring_servers(is_pinned=False):
        from bench.stats import measure
        from bench.usage_data import about

        return _figures("stats", about(), measure(sizes), options, is_whole=max(sizes) >= N_RECORDS)


def _closing(options: argparse.Namespace) -> bool:
    with measuring_servers():
        from bench.closing import N_ACCOUNTS, measure

        n_records = int(options.records or N_RECORDS)
        figures = measure(n_records)
        text = f"A month of {N_ACCOUNTS:,} accounts is closed: none of its days is charged yet."
        is_good = _figures("closing", text, figures, options, is_whole=n_records >= N_RECORDS)
    return is_good and figures["verify_usage, differences"] == 0


def _quarter(options: argparse.Namespace) -> bool:
    with measuring_servers():
        from bench.quarter.run import NOUGHTS, run

        figures = run(options.seed, options.accounts)
        text = f"A quarter of {options.accounts:,} accounts, made of the seed {options.seed}, with crashes."
        _figures("quarter", text, figures, options, is_whole=options.accounts >= N_QUARTER)
    return not any(figures[name] for name in NOUGHTS)


def _figures(
    name: str, text: str, figures: dict[str, float], options: argparse.Namespace, *, is_whole: bool = True
) -> bool:
    from bench.machine import described

    if options.json:
        print(json.dumps(figures))
        return True
    rows = [[figure, number(value)] for figure, value in figures.items()]
    _tell(name, f"{described()} {text}\n\n{table(['figure', 'value'], rows)}", is_whole=is_whole)
    return True


def _tell(name: str, text: str, *, is_whole: bool) -> None:
    print(text)
    if is_whole:
        write_section(name, text)
    else:
        print("\nA shorter run than the usual one: not written to bench/RESULTS.md.", file=sys.stderr)


if __name__ == "__main__":
    main()

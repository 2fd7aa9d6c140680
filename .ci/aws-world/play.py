"""Plays scenarios against stanch, several at a time, and prints a line for each.

usage: play.py [--all] [-k PATTERN]... [MODULE...]     STANCH names the binary

It ends with the first scenario that differs, unless --all is given."""
import argparse
import concurrent.futures
import importlib
import json
import os
import pathlib
import sys
import tempfile
import threading
import time
import unittest

import stage
from world import gateway, listener

SCENARIOS = pathlib.Path(__file__).parent / "scenarios"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("modules", nargs="*", help="of the folder scenarios, such as containment")
    parser.add_argument("-k", action="append", default=[], dest="patterns", help="only scenarios whose name holds this")
    parser.add_argument("--all", action="store_true", help="go on after a difference")
    parser.add_argument("-j", type=int, default=24, dest="jobs", help="scenarios at the same time: they wait most of the time")
    options = parser.parse_args()
    modules = options.modules or sorted(path.stem for path in SCENARIOS.glob("*.py"))
    cases = [case for module in modules for case in collect(module) if not options.patterns or any(p in case.id() for p in options.patterns)]
    if not cases:
        sys.exit("there is no such scenario")
    with tempfile.TemporaryDirectory() as folder:
        gate = gateway.Gateway()
        stage.Incident.stage = stage.Stage(os.path.abspath(os.environ["STANCH"]), gate, listener.start(gate, folder))
        failed = play(cases, options)
        if not options.modules and not options.patterns and (options.all or not failed):
            failed = uncalled(stage.Incident.stage) or failed
        for thing, count in sorted(stage.Incident.stage.counts.items()):
            print(f"{count} {thing}")
        for figure in sorted(stage.Incident.stage.figures):
            print(figure)
    sys.stdout.flush()
    os._exit(1 if failed else 0)  # a child of a scenario that was given up may still run


def collect(module):
    def flat(suite):
        return [case for part in suite for case in flat(part)] if isinstance(suite, unittest.TestSuite) else [suite]

    return flat(unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(f"scenarios.{module}")))


def play(cases, options):
    """Runs the cases, and reports whether one failed. The slowest go first."""
    cases.sort(key=lambda case: not getattr(case, "slow", False))
    failed, stop = False, threading.Event()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(one, case, stop) for case in cases]):
            name, seconds, trouble = done.result()
            if name is None:
                continue
            print(f"{'DIFFERS' if trouble else 'ok':8}{name}  {seconds:.1f} s", flush=True)
            if trouble:
                print(trouble, flush=True)
                failed = True
                if not options.all:
                    stop.set()
    return failed


def one(case, stop):
    if stop.is_set():
        return None, 0, ""
    result, started = unittest.TestResult(), time.time()
    case.run(result)
    trouble = "\n".join(text for _, text in result.failures + result.errors)
    return case.id().removeprefix("scenarios."), time.time() - started, trouble


def uncalled(played):
    """Whether the policies that stanch prints allow an action that no scenario has called."""
    granted = set()
    for document in played.policies.values():
        for statement in json.loads(document)["Statement"]:
            actions = statement["Action"]
            granted |= set([actions] if isinstance(actions, str) else actions)
    missing = sorted(granted - played.called)
    if missing:
        print("DIFFERS no scenario has called", ", ".join(missing))
    return bool(missing)


if __name__ == "__main__":
    main()

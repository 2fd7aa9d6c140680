"""Fails if a score (stdin) is below what was reached before: raise the floors, never lower them."""
import json
import sys

# part: pairs right (share), values found (share), precision
FLOORS = {"plain": (1.0, 0.99, 1.0), "history": (1.0, 1.0, 1.0)}

scores, failed = json.load(sys.stdin), False
for part, (pairs, recall, precision) in FLOORS.items():
    s = scores[part]
    p = s["pairs"]
    for what, got, floor in (
        ("pairs right", p["right"] / p["expected"], pairs),
        ("pairs not wrong", float(p["wrong"] == 0), 1.0),
        ("recall", s["tp"] / (s["tp"] + s["fn"]), recall),
        ("precision", s["tp"] / (s["tp"] + s["fp"]), precision),
    ):
        ok = got >= floor
        failed |= not ok
        print(f"{part:8} {what:16} {got:.3f}, floor {floor:.3f} {'' if ok else 'FAILED'}")
sys.exit(failed)

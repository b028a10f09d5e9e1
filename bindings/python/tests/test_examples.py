"""The examples run, and say what they did."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, *args: str) -> list[str]:
    """Runs an example, and gives the lines that it said."""
    program = [sys.executable, "-W", "error", str(EXAMPLES / name), *args]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_hello(tmp_path: Path) -> None:
    """F-3: the shortest way through, twice on the same file."""
    for _ in range(2):
        told = run("hello.py", str(tmp_path / "hello.db"))
        assert told[0].endswith(": good for 12.50") and told[0].startswith("•")
        assert told[1:] == ["paid 12.50 GBP, left on the card 12.50 GBP"]


def test_gift_shop(tmp_path: Path) -> None:
    """F-3: a day of the gift shop."""
    told = run("gift_shop.py", str(tmp_path))
    assert told[:2] == ["printed 50 cards of 25.00 GBP", "sold 3 cards"]
    assert [line.split(" ", 1)[1] for line in told[2:3]] == ["pays 15.00 GBP, left 10.00 GBP"]
    assert told[3:] == [
        "refused: the balance is short by 1.80 GBP (BALANCE_TOO_SMALL); pay 1.80 GBP by other means",
        "ann@example.org pays 24.00 GBP",
        "refused: the balance is short by 6.00 GBP (BALANCE_TOO_SMALL); pay 6.00 GBP by other means",
        "brought back: 24.00 GBP",
        "owed: 10.00 GBP on cards, 50.00 GBP in wallets",
        told[-1],
    ]
    assert told[-1].startswith("the books hold: ")
    assert (tmp_path / "printer.csv").read_text().count("\n") == 51

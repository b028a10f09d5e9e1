"""hf-nostro, an embedded ledger with promotion codes on PostgreSQL (PyPI, MIT): redeems single-use codes when told to.

redeem.py DSN CODES; then a line `CLIENTS COUNT` on standard input has so many threads redeem so many codes altogether, and
is answered with the seconds that took. Each redemption is one call of its own with an idempotency key.
"""

import subprocess
import sys
import threading
import time

import psycopg
from nostro import Ledger

dsn, count = sys.argv[1], int(sys.argv[2])
subprocess.run(
    [sys.executable, "-m", "nostro", "migrate", "--dsn", dsn, "--scale", "2"], check=True, stdout=subprocess.DEVNULL
)
ledger = Ledger(dsn=dsn, scale=2)
accounts = [ledger.accounts.get_or_create("customer", f"w{n}") for n in range(200)]
amount = ledger.amount("1.25")
codes = [f"GIFT{n:012d}" for n in range(count)]
with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
    for code in codes:
        ledger.promos.mint(code, amount, max_redemptions=1, cur=cursor)
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")
left = iter(codes)
failed = []


def redeem(share):
    try:
        for n, code in enumerate(share):
            ledger.promos.redeem(accounts[n % 200], code, idempotency_key=f"receipt-{code}")
    except Exception as error:
        failed.append(error)


print("ready", flush=True)
for line in sys.stdin:
    clients, wanted = map(int, line.split())
    shares = [[next(left) for _ in range(wanted // clients)] for _ in range(clients)]
    threads = [threading.Thread(target=redeem, args=(share,)) for share in shares]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begun
    if failed:
        sys.exit(f"a redemption failed: {failed[0]!r}")
    print(took, flush=True)
ledger.close()

"""How many events a second the record takes, by events a commit and by clients, and what checking the chain costs."""
import os
import re
import subprocess
import tempfile
import time

from common import connect, load_average, machine, median, one, query, report, versions

ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 3))
SECONDS = 2
CLIENTS = (1, 2, 8)
PER_COMMIT = (1, 10, 100)
WRITE = "insert into mlops.finding (project_id, title) select 1, 'finding ' || i from generate_series(1, :n) i"


def rate(folder, clients, n):
    """Events a second of clients whose commits have n events each."""
    output = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(SECONDS), "-D", f"n={n}",
                             "-f", os.path.join(folder, "write"), "bench"], capture_output=True, text=True, check=True).stdout
    return float(re.search(r"tps = ([\d.]+)", output).group(1)) * n


def switch(cursor, enable):
    """The record of findings on or off."""
    cursor.execute(f"alter table mlops.finding {'enable always' if enable else 'disable'} trigger audit_finding")


def main():
    cursor = connect()
    query(cursor, "select mlops.create_project('bench')")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "write"), "w", encoding="utf8") as file:
            file.write(WRITE + ";\n")
        for clients in CLIENTS:
            for n in PER_COMMIT:
                rates = {True: [], False: []}
                for turn in range(ROUNDS):
                    for enable in (True, False) if turn % 2 == 0 else (False, True):
                        switch(cursor, enable)
                        rates[enable].append(rate(folder, clients, n))
                lines.append([clients, n, f"{median(rates[True]):,.0f}", f"{median(rates[False]):,.0f}"])
    switch(cursor, True)
    events = one(cursor, "select count(*) from mlops.audit_event")
    start = time.perf_counter()
    broken = one(cursor, "select count(*) from mlops.verify_audit()")
    checked = events / (time.perf_counter() - start)
    report("audit", "what the record takes", ["clients", "events a commit", "events/s", "rows/s without the record"], lines,
           [f"verify_audit() reads {checked:,.0f} events a second: {events:,} of them, {broken} broken links.",
            f"fsync {one(cursor, 'show fsync')}, synchronous_commit {one(cursor, 'show synchronous_commit')}.",
            f"{ROUNDS} rounds in turn of {SECONDS} s, medians; load average {load_average():.1f}.", versions(cursor) + ".", machine() + "."])


if __name__ == "__main__":
    main()

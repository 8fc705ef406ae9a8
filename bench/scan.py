"""1M x 28 float4 rows into memory: the matrix of train() beside COPY binary into numpy."""
import os
import re

from common import Copy, connect, in_turn, machine, median, report, synthetic, versions

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", 1000000))
ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 5))
FEATURES = 28


def main():
    cursor = connect()
    x, y = synthetic(ROWS)
    Copy.load(cursor, "higgs", x, y)
    cursor.execute("select sum(c1) from higgs")
    cursor.execute("set client_min_messages = debug1; set max_parallel_workers_per_gather = 0")
    scans = []

    def matrix():
        del cursor.connection.notices[:]
        cursor.execute("select run_id from mlops.train('scan', 'higgs', 'y', algorithm => 'baseline', task => 'binary', "
                       "params => '{}', split => '{\"test\": 0}')")
        found = re.search(r"into the matrix in ([0-9.]+) ms", "".join(cursor.connection.notices))
        scans.append(float(found.group(1)) / 1000)

    seconds = in_turn(ROUNDS, copy=lambda: Copy.read(cursor, "higgs", FEATURES), mlops=matrix)
    export, scan = median(seconds["copy"]), median(scans)
    report("scan", f"{ROWS:,} x {FEATURES} float4 rows of a cached table into memory",
           ["what", "seconds (median)", "ns a row", "ratio"],
           [["COPY binary into numpy, same host", f"{export:.2f}", f"{export / ROWS * 1e9:.0f}", "1"],
            ["rows into the matrix of train()", f"{scan:.3f}", f"{scan / ROWS * 1e9:.0f}", f"{scan / export:.2f}"]],
           [f"{ROUNDS} rounds in turn, one process, no parallel plan. The limit is the executor: scanning and deforming 28 float4 attributes costs about 100 ns a row.",
            versions(cursor) + ".", machine() + "."])


if __name__ == "__main__":
    main()

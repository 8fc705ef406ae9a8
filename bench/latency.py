"""A prediction at a time: transactions a second beside select 1, by pgbench; the first prediction of a connection."""
import os
import re
import subprocess
import tempfile

import psycopg2

from common import Copy, backend_seconds, connect, load_average, machine, median, one, query, report, synthetic, versions

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", 100000))
ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 5))
SECONDS = 1
SCRIPTS = {
    "select": "\\set id random(1, 1000)\nselect :id",
    "row": "\\set id random(1, 1000)\nselect c28 from sample s where id = :id",
    "predict": "\\set id random(1, 1000)\nselect mlops.predict_proba('serve', s) from sample s where id = :id",
    "captured": "\\set id random(1, 1000)\nselect mlops.predict_proba('captured', s) from sample s where id = :id",
    "array": "\\set a random(1, 1000)\nselect mlops.predict_proba('serve', array[:a" + ", 0.5" * 27 + "]::float8[])",
}
WRITE = "\\set id random(1, 1000)\nupdate counter set n = n + 1 where id = :id"


def pgbench(folder, name, clients, seconds=SECONDS):
    """A running pgbench; prepared statements."""
    return subprocess.Popen(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(clients), "-T", str(seconds),
                             "-f", os.path.join(folder, name), "bench"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def rate(process):
    """Its transactions a second."""
    output = process.communicate()[0]
    return float(re.search(r"tps = ([\d.]+)", output).group(1))


def rates(cursor, folder, clients, writer):
    """Transactions a second of each script in turn, beside a writer or not; what was captured is stored before the next begins."""
    measured = {name: [] for name in SCRIPTS}
    for _ in range(ROUNDS):
        for name in SCRIPTS:
            other = pgbench(folder, "write", 1) if writer else None
            measured[name].append(rate(pgbench(folder, name, clients)))
            if other is not None:
                other.communicate()
            query(cursor, "select mlops.flush_capture('1 minute')")
    return {name: median(values) for name, values in measured.items()}


def first_prediction(reference):
    """Processor milliseconds of the server for the first prediction with a model in a new connection, which has predicted with another one, and for the next."""
    connection = psycopg2.connect(dbname="bench")
    connection.autocommit = True
    cursor = connection.cursor()
    query(cursor, "select mlops.predict_proba('serve', s) from sample s where id = 1")
    backend = one(cursor, "select pg_backend_pid()")
    times = []
    for _ in range(2):
        start = backend_seconds(backend)
        query(cursor, f"select mlops.predict('{reference}', s) from sample s where id = 1")
        times.append((backend_seconds(backend) - start) * 1000)
    connection.close()
    return times


def main():
    cursor = connect()
    x, y = synthetic(ROWS)
    Copy.load(cursor, "higgs", x, y)
    for model, mode in {"serve": "off", "captured": "queue"}.items():
        query(cursor, f"select version from mlops.train('{model}', 'higgs', 'y', task => 'binary')")
        query(cursor, f"select mlops.deploy('{model}', capture => '{{\"mode\": \"{mode}\"}}')")
    cursor.execute("create table sample as select row_number() over () as id, h.* from (select * from higgs limit 1000) h")
    cursor.execute("alter table sample add primary key (id)")
    cursor.execute("create table counter as select id, 0 as n from generate_series(1, 1000) id")
    cursor.execute("alter table counter add primary key (id)")
    cursor.execute("vacuum analyze sample, counter")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**SCRIPTS, "write": WRITE}.items():
            with open(os.path.join(folder, name), "w", encoding="utf8") as file:
                file.write(text + "\n")
        quiet, alone, beside = rates(cursor, folder, 2, False), rates(cursor, folder, 1, False), rates(cursor, folder, 1, True)

    query(cursor, "select version from mlops.train('large', 'higgs', 'y', task => 'binary', algorithm => 'random_forest', "
                  "params => '{\"n_estimators\": 115}')")
    size = one(cursor, "select max(size) from mlops.model_version")
    cold = first_prediction("large@1")
    shared = [first_prediction("large@1") for _ in range(20)]
    first, second = median(times[0] for times in shared), median(times[1] for times in shared)

    def line(what, name):
        above = (1 / alone[name] - 1 / alone["select"]) * 1e6
        above_beside = (1 / beside[name] - 1 / beside["select"]) * 1e6
        return [what, f"{quiet[name]:,.0f}", f"{quiet[name] / quiet['select']:.2f}", f"{above:.1f}", f"{above_beside:.1f}"]

    report("latency", "one prediction at a time, prepared, 100 trees of depth 6",
           ["what", "transactions/s, 2 clients", "of select 1", "µs above select 1", "µs above it beside a writer"],
           [line("select 1", "select"), line("a row of a table by its key", "row"), line("predict_proba() of that row", "predict"),
            line("the same, captured", "captured"), line("predict_proba() of 28 numbers", "array")],
           [f"First prediction of a connection with a model of {size / 1e6:.0f} MB: {cold[0]:.0f} ms where nobody has loaded it, "
            f"{first:.2f} ms where it is shared, of which {second:.2f} ms are the statement itself (processor time of the server).",
            f"{ROUNDS} rounds in turn of {SECONDS} s, medians; load average {load_average():.1f}.", versions(cursor) + ".", machine() + "."])


if __name__ == "__main__":
    main()

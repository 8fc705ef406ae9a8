"""What capture costs: a large query, single predictions by pgbench, and rows at a steady rate, each with capture and without.

Of the query it is the processor time of the server's process that counts: on a quiet machine that is the time that passes.
The writer works beside it, on another core, and is not counted.

Single predictions are told by transactions a second, and by the processor time of all processes of the server, the writer's
included, until all is written. One client leaves processors idle, and how fast those wake up is not what capture costs (the writer,
who keeps them awake, would make transactions faster): processes that run where nobody else wants to keep them awake for both.
"""
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time

from common import Copy, backend_seconds, connect, load_average, machine, median, one, query, report, server_seconds, synthetic, versions

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", 1000000))
ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 7))
SECONDS = int(os.environ.get("MLOPS_BENCH_SECONDS", 3))
STEADY_SECONDS = int(os.environ.get("MLOPS_BENCH_STEADY_SECONDS", 60))
STEADY_RATE = int(os.environ.get("MLOPS_BENCH_STEADY_RATE", 100000))
MODELS = ("off", "queue")


def flush(cursor):
    """Waits for the writer."""
    query(cursor, "select mlops.flush_capture('10 minutes')")


def settle(cursor):
    """The same, and for its end."""
    flush(cursor)
    while one(cursor, "select count(*) from pg_stat_activity where backend_type = 'mlops capture writer'") > 0:
        time.sleep(0.05)


def in_turn(measure):
    """What measure gives for each model, in rounds whose order changes: medians, and the median of the ratios queue / off."""
    values = {model: [] for model in MODELS}
    for turn in range(ROUNDS):
        for model in MODELS if turn % 2 == 0 else reversed(MODELS):
            values[model].append(measure(model))
    ratio = median(queue / off for queue, off in zip(values["queue"], values["off"]))
    return median(values["off"]), median(values["queue"]), ratio


def large_query(cursor, statement):
    """Processor seconds of one query over all rows."""
    backend = one(cursor, "select pg_backend_pid()")

    def measure(model):
        flush(cursor)
        start = backend_seconds(backend)
        query(cursor, statement.format(model=model))
        return backend_seconds(backend) - start
    return in_turn(measure)


@contextlib.contextmanager
def processors_awake():
    """Keeps processors from sleeping, by processes that yield to all others."""
    spin = "import os\nos.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\nwhile True: pass"
    spinners = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def make_sample(cursor):
    """The rows that single predictions are asked for."""
    cursor.execute("create table sample as select row_number() over () as id, h.* from (select * from higgs limit 1000) h")
    cursor.execute("alter table sample add primary key (id)")
    cursor.execute("vacuum analyze sample")


def single_predictions(cursor, clients):
    """Prepared single predictions: of transactions a second and of microseconds a transaction what in_turn() gives."""
    postmaster = int(one(cursor, "select pg_read_file('postmaster.pid')").split()[0])
    microseconds = {model: [] for model in MODELS}
    with tempfile.TemporaryDirectory() as folder:
        def measure(model):
            script = os.path.join(folder, model)
            with open(script, "w", encoding="utf8") as file:
                file.write(f"\\set id random(1, 1000)\nselect mlops.predict_proba('{model}', s) from sample s where id = :id\n")
            settle(cursor)
            start = server_seconds(postmaster)
            output = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(clients), "-T", str(SECONDS), "-f", script, "bench"],
                                    capture_output=True, text=True, check=True).stdout
            settle(cursor)
            transactions = int(re.search(r"actually processed: (\d+)", output).group(1))
            microseconds[model].append((server_seconds(postmaster) - start) / transactions * 1e6)
            return float(re.search(r"tps = ([\d.]+)", output).group(1))
        rates = in_turn(measure)
    off, queue = (median(microseconds[model]) for model in MODELS)
    return rates, (off, queue, queue / off)


def status(cursor):
    return query(cursor, "select captured, dropped from mlops.capture_status where model = 'queue'")[0]


def steady(cursor):
    """Full capture at a steady rate: seconds that it took, rows captured, rows dropped."""
    flush(cursor)
    cursor.execute("set mlops.capture_rows_per_query = 1000000000")
    captured, dropped = status(cursor)
    start = time.monotonic()
    for second in range(STEADY_SECONDS):
        query(cursor, f"select sum(mlops.predict_proba('queue', h)) from (select * from higgs limit {STEADY_RATE}) h")
        time.sleep(max(0.0, start + second + 1 - time.monotonic()))
    seconds = time.monotonic() - start
    flush(cursor)
    cursor.execute("reset mlops.capture_rows_per_query")
    captured_now, dropped_now = status(cursor)
    return seconds, captured_now - captured, dropped_now - dropped


def main():
    cursor = connect()
    x, y = synthetic(ROWS)
    Copy.load(cursor, "higgs", x, y)
    cursor.execute("set max_parallel_workers_per_gather = 0")
    for model in MODELS:
        query(cursor, f"select version from mlops.train('{model}', 'higgs', 'y', task => 'binary')")
        query(cursor, f"select mlops.deploy('{model}', capture => '{{\"mode\": \"{model}\"}}')")
        query(cursor, f"select count(mlops.predict_proba('{model}', h)) from (select * from higgs limit 1000) h")
    rows = []
    for what, statement in (("a query", "select sum(mlops.predict_proba('{model}', h)) from higgs h"),
                            ("predict_batch()", "select count(*) from mlops.predict_batch('{model}', 'higgs')")):
        off, queue, ratio = large_query(cursor, statement)
        rows.append([f"{what} over {ROWS:,} rows, processor seconds", f"{off:.2f}", f"{queue:.2f}", f"{ratio:.3f}"])
    make_sample(cursor)
    for clients in (1, 2):
        name = f"single predictions by pgbench, {clients} client{'s' if clients > 1 else ''}"
        with processors_awake() if clients < os.cpu_count() else contextlib.nullcontext():
            (off, queue, ratio), (off_time, queue_time, time_ratio) = single_predictions(cursor, clients)
        rows.append([f"{name}, transactions/s", f"{off:,.0f}", f"{queue:,.0f}", f"{ratio:.3f}"])
        rows.append([f"{name}, microseconds of the server's processors", f"{off_time:.1f}", f"{queue_time:.1f}", f"{time_ratio:.3f}"])
    seconds, captured, dropped = steady(cursor)
    report("capture", "predictions with capture and without, 100 trees of depth 6, 28 features",
           ["what", "off", "queue", "ratio"], rows,
           [f"All rows of {STEADY_RATE:,} a second, for {seconds:.0f} s, with a queue of {one(cursor, 'show mlops.capture_queue_size')}: "
            f"{captured:,} were captured ({captured / seconds:,.0f} a second), {dropped:,} dropped.",
            f"{ROUNDS} rounds in turn, medians; load average {load_average():.1f}.", versions(cursor) + ".", machine() + "."])


if __name__ == "__main__":
    main()

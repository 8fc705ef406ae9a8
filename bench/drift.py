"""Profiles of 28 float columns: mlops with a frozen reference, whylogs and Evidently on the same rows."""
import os
import resource

from common import Copy, connect, load_average, machine, median, one, report, synthetic, versions

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", 1000000))
ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 3))
PEER_ROWS = min(ROWS, 100000)
FEATURES = 28


def columns(expression):
    return ", ".join(expression.format(f"c{i + 1}") for i in range(FEATURES))


def backend_seconds(cursor, sql):
    """Processor time that a statement takes in its backend: on a shared machine the clock says little."""
    used = """select (part[12]::float8 + part[13]::float8) / 100
                from (select string_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\\) ', ''), ' ') as part) s"""
    start = one(cursor, used)
    cursor.execute("explain (analyze, timing off) " + sql)
    return one(cursor, used) - start


def own_seconds(work):
    def used():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime
    start = used()
    work()
    return used() - start


def peers(x):
    """What can be imported of the peers: name and work over the rows, and what cannot."""
    import pandas
    frame = pandas.DataFrame(x[:PEER_ROWS], columns=[f"c{i + 1}" for i in range(FEATURES)])
    works, missing = {}, []
    try:
        import whylogs
        works[f"whylogs {whylogs.__version__}, profile"] = lambda: whylogs.log(frame).profile().view()
    except Exception as failure:  # an installed whylogs may not work with this numpy
        missing.append(f"whylogs: {failure}")
    try:
        import evidently
        from evidently import Report
        from evidently.presets import DataDriftPreset
        half = len(frame) // 2
        works[f"Evidently {evidently.__version__}, drift of one half against the other"] = (
            lambda: Report([DataDriftPreset()]).run(frame[:half], frame[half:]))
    except Exception as failure:
        missing.append(f"Evidently: {failure}")
    return works, missing


def main():
    cursor = connect()
    x, y = synthetic(ROWS)
    Copy.load(cursor, "higgs", x, y)
    cursor.execute("set max_parallel_workers_per_gather = 0; drop table if exists reference; create table reference as select "
                   + columns("mlops.profile({0}) as {0}") + " from higgs")
    statements = {
        "mlops, with a frozen reference": "select " + columns("mlops.profile({0}, (select {0} from reference))") + " from higgs",
        "mlops, cells of its own": "select " + columns("mlops.profile({0})") + " from higgs",
        "the same scan with sum()": "select " + columns("sum({0})") + " from higgs",
    }
    works, missing = peers(x)
    seconds = {name: [] for name in (*statements, *works)}
    rows = {name: ROWS if name in statements else PEER_ROWS for name in seconds}
    for _ in range(ROUNDS):
        for name, sql in statements.items():
            seconds[name].append(backend_seconds(cursor, sql))
        for name, work in works.items():
            seconds[name].append(own_seconds(work))
    report("drift", f"Profiles of {FEATURES} float4 columns",
           ["what", "rows", "processor seconds (median)", "million values a second and core"],
           [[name, f"{rows[name]:,}", f"{median(times):.2f}", f"{rows[name] * FEATURES / median(times) / 1e6:.2f}"]
            for name, times in seconds.items()],
           [f"{ROUNDS} rounds in turn, one process each; processor time, the scan of the table included for SQL, not for the peers.",
            *[f"Missing: {reason}." for reason in missing], versions(cursor) + ".", machine() + f", load average {load_average():.1f}."])


if __name__ == "__main__":
    main()

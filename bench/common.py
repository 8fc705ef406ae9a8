"""What every benchmark shares: the connection, the data, timing in turn, the table at the end."""
import os
import platform
import statistics
import sys
import time

import numpy
import psycopg2

DATA = os.environ.get("MLOPS_DATA", "")
OUT = os.environ["MLOPS_BENCH_OUT"]
DOCUMENTS = ("performance.md", "serving.md", "algorithms.md", "audit.md")
THREADS = int(os.environ.get("MLOPS_BENCH_THREADS", os.cpu_count()))


def connect():
    """A connection to the benchmark's own cluster (PGHOST, PGPORT and PGUSER are set by bench/run)."""
    connection = psycopg2.connect(dbname="bench")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("create extension if not exists mlops")
    cursor.execute(f"set mlops.threads = {THREADS}")
    return cursor


def query(cursor, sql, *values):
    """The rows of a statement."""
    cursor.execute(sql, values or None)
    return cursor.fetchall()


def one(cursor, sql, *values):
    """The first value of the first row."""
    return query(cursor, sql, *values)[0][0]


def in_turn(rounds, **contenders):
    """Runs the contenders one after the other, `rounds` times; seconds by name."""
    seconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def backend_seconds(backend):
    """Time that a process of the server had on a processor so far."""
    with open(f"/proc/{backend}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def server_seconds(postmaster):
    """The same of all processes of a server, those that have ended included."""
    with open(f"/proc/{postmaster}/stat", encoding="ascii") as file:
        ended = sum(int(ticks) for ticks in file.read().rsplit(")", 1)[1].split()[13:15]) / os.sysconf("SC_CLK_TCK")
    with open(f"/proc/{postmaster}/task/{postmaster}/children", encoding="ascii") as file:
        processes = file.read().split()
    seconds = ended
    for process in processes:
        try:
            seconds += backend_seconds(process)
        except FileNotFoundError:
            pass
    return seconds


def processor_seconds_in_turn(cursor, rounds, **contenders):
    """Like in_turn(), but of processor time: of the server's process and of this one together."""
    backend = one(cursor, "select pg_backend_pid()")
    seconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            start = backend_seconds(backend) + time.process_time()
            work()
            seconds[name].append(backend_seconds(backend) + time.process_time() - start)
    return seconds


def machine():
    """One line about where this ran."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    return f"{model}, {os.cpu_count()} cores, {THREADS} threads used, {platform.system()} {platform.release()}"


def versions(cursor, *modules):
    """Versions of the server and of the peers."""
    parts = ["PostgreSQL " + one(cursor, "show server_version"),
             "mlops " + one(cursor, "select extversion from pg_extension where extname = 'mlops'")]
    return ", ".join(parts + [f"{module.__name__} {module.__version__}" for module in modules])


def median(values):
    return statistics.median(values)


def load_average():
    """How busy the machine was during the last minute: processes that wanted to run."""
    return os.getloadavg()[0]


def table(header, rows):
    """Lines of a Markdown table."""
    return (["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
            + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def put_into_docs(name, text):
    """Replaces what stands between the marks of a benchmark in the document that has them."""
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    for page in DOCUMENTS:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs", page)
        with open(path, encoding="utf8") as file:
            document = file.read()
        if begin in document and end in document:
            head, rest = document.split(begin)
            with open(path, "w", encoding="utf8") as file:
                file.write(head + begin + text + rest[rest.index(end):])
            return
    sys.exit(f"no document has marks for {name}: {', '.join(DOCUMENTS)}")


def publish(name, title, lines, notes):
    """Prints Markdown and keeps it as OUT/name.md; with --publish in the docs, too."""
    text = "\n".join([f"### {title}", ""] + lines + [""] + [note + "  " for note in notes] + [""])
    print(text)
    with open(os.path.join(OUT, name + ".md"), "w", encoding="utf8") as file:
        file.write(text)
    if "--publish" in sys.argv:
        put_into_docs(name, text)


def report(name, title, header, rows, notes):
    """Publishes one table."""
    publish(name, title, table(header, rows), notes)


def need_data():
    """Ends, and says so, where the real data are absent."""
    if not os.path.exists(os.path.join(DATA, "adult.csv")):
        sys.exit("skipped: no adult.csv under MLOPS_DATA; set it to the folder with adult.csv, housing.csv and elec.csv")


def synthetic(rows, features=28, seed=0):
    """Binary classification like the HIGGS set: interactions, skewed and discrete columns.  x: float32, y: 0 or 1."""
    random = numpy.random.default_rng(seed)
    x = random.standard_normal((rows, features)).astype(numpy.float32)
    x[:, 7:14] = numpy.exp(x[:, 7:14] * 0.7)
    x[:, 26] = numpy.floor(x[:, 26] * 2)
    x[:, 27] = x[:, 27] > 0.3
    z = (0.8 * x[:, 0] * x[:, 1] + numpy.sin(2 * x[:, 2]) + 0.5 * x[:, 3] ** 2 - 0.7 * numpy.abs(x[:, 4])
         + 0.5 * x[:, 5] * x[:, 6] + 0.6 * numpy.log(x[:, 7]) * x[:, 27] + 0.4 * (x[:, 8] > x[:, 9])
         + 0.3 * x[:, 15] - 0.3 * x[:, 16] * (x[:, 17] > 0) + 0.25 * x[:, 26])
    z -= numpy.median(z)
    y = (random.random(rows) < 1 / (1 + numpy.exp(-1.3 * z))).astype(numpy.float32)
    return x, y


class Copy:
    """Writes a float32 matrix and a label into a table by binary COPY, and reads it back: the expert's export."""

    @staticmethod
    def layout(features):
        fields = [("count", ">i2")]
        for i in range(features):
            fields += [(f"l{i}", ">i4"), (f"c{i}", ">f4")]
        return numpy.dtype(fields)

    HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)

    @classmethod
    def load(cls, cursor, table, x, y):
        import io
        columns = numpy.column_stack([x, y]).astype(">f4")
        n = columns.shape[1]
        names = [f"c{i + 1}" for i in range(n - 1)] + ["y"]
        cursor.execute(f"drop table if exists {table}; create table {table} ("
                       + ", ".join(f"{name} float4 not null" for name in names) + ")")
        block = numpy.zeros(len(x), cls.layout(n))
        block["count"] = n
        for i in range(n):
            block[f"l{i}"] = 4
            block[f"c{i}"] = columns[:, i]
        cursor.copy_expert(f"copy {table} from stdin (format binary)",
                           io.BytesIO(cls.HEADER + block.tobytes() + b"\xff\xff"))
        cursor.execute(f"vacuum (analyze, freeze) {table}")

    @classmethod
    def read(cls, cursor, table, features):
        import io
        out = io.BytesIO()
        cursor.copy_expert(f"copy {table} to stdout (format binary)", out)
        view = out.getbuffer()[len(cls.HEADER):-2]
        block = numpy.frombuffer(view, cls.layout(features + 1))
        x = numpy.empty((len(block), features), numpy.float32)
        for i in range(features):
            x[:, i] = block[f"c{i}"]
        return x, block[f"c{features}"].astype(numpy.float32)

"""From a table to a registered version, and the fits alone, beside the expert's export and LightGBM, XGBoost or scikit-learn.

    bench/run training                        every part, 1M rows and smaller
    bench/run training --only fit,linear      some of them
    bench/run training --only ten-million     10M x 28, which is left out otherwise: it takes 20 GB of memory
"""
import gc
import glob
import json
import os
import subprocess
import sys
import threading
import time

import lightgbm
import numpy
import pandas
import sklearn
import xgboost
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from common import THREADS, Copy, connect, load_average, machine, median, one, publish, query, synthetic, table, versions

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", 1000000))
ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 3))
FEATURES = 28
PHASES = ["scan", "start", "hash", "order", "split", "levels", "profile", "freeze columns", "gather", "recipe", "fit", "evaluate", "freeze answers", "write"]
LEAVES_255 = {"grow_policy": "lossguide", "max_leaves": 255, "max_depth": 0}


def timed(work):
    """Seconds that a call took, and what it gave."""
    gc.collect()
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


# ---- The contenders: each fit is what a user of the library would write, with the settings that correspond ----

def lightgbm_fit(x, y, trees=100, quantised=True, leaves=64, depth=6, regression=False, **more):
    params = {"objective": "regression" if regression else "binary", "num_leaves": leaves, "max_depth": depth, "learning_rate": 0.1,
              "max_bin": 255, "use_quantized_grad": quantised, "num_threads": THREADS, "verbose": -1, **more}
    return lightgbm.train(params, lightgbm.Dataset(x, y, params={"max_bin": 255, "verbose": -1}), trees)


def xgboost_fit(x, y, trees=100, leaves=0, depth=6, **more):
    params = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "max_bin": 256, "tree_method": "hist", "nthread": THREADS, **more}
    if leaves:
        params.update(grow_policy="lossguide", max_leaves=leaves, max_depth=0)
    categorical = isinstance(x, pandas.DataFrame)
    return xgboost.train(params, xgboost.QuantileDMatrix(x, y, max_bin=256, nthread=THREADS, enable_categorical=categorical), trees)


def xgboost_predict(model, x):
    return model.predict(xgboost.DMatrix(x, enable_categorical=isinstance(x, pandas.DataFrame)))


def mlops_train(cursor, source, algorithm="gradient_boosting", params="{}", split='{"test": 0}', task="binary"):
    """Trains a version; its number, the seconds of the whole statement, and those of its phases."""
    seconds, rows = timed(lambda: query(cursor, "select run_id, version from mlops.train('bench', %s, 'y', algorithm => %s, params => %s, split => %s, "
                                                "task => %s)", source, algorithm, params, split, task))
    run, version = rows[0]
    return {"version": version, "total": seconds, "phases": one(cursor, "select timing from mlops.run where id = %s", run)}


class TrainerMemory:
    """The most memory that trainers have had to themselves while this was active, in bytes: all but the shared rows."""

    def __enter__(self):
        self.peak, self.done = 0, threading.Event()
        self.watcher = threading.Thread(target=self.watch)
        self.watcher.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.watcher.join()

    def watch(self):
        while not self.done.wait(0.01):
            for path in glob.glob("/proc/[0-9]*/status"):
                try:
                    with open(path) as file:
                        status = dict(line.split(":", 1) for line in file)
                except OSError:
                    continue
                if status["Name"].strip() == "mlops-trainer" and "RssAnon" in status:
                    self.peak = max(self.peak, int(status["RssAnon"].split()[0]) * 1024)


def mlops_score(cursor, trained, source, metric="roc_auc"):
    return one(cursor, "select value from mlops.evaluate(%s, %s) where metric = %s", f"bench@{trained['version']}", source, metric)


def rounds_of(contenders):
    """Runs each contender in turn, ROUNDS times; what each gave, by name."""
    results = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, work in contenders.items():
            seconds, result = timed(work)
            results[name].append((seconds, result))
    return results


def compare(what, seconds, scores, ours="mlops"):
    """Rows of a table: seconds and the ratio to the fastest peer, whose score is beside ours."""
    fastest = min(median(values) for name, values in seconds.items() if not name.startswith(ours))
    return [[what, name, f"{median(values):.2f}", f"{median(values) / fastest:.2f}", scores.get(name, "")] for name, values in seconds.items()]


# ---- The parts: each gives rows of (what, who, seconds, ratio, score) ----

def load_million(cursor, data):
    if "x" not in data:
        data["x"], data["y"] = synthetic(ROWS)
        data["x_test"], data["y_test"] = synthetic(ROWS // 5, seed=1)
        Copy.load(cursor, "higgs", data["x"], data["y"])
        Copy.load(cursor, "higgs_test", data["x_test"], data["y_test"])
        cursor.execute("select sum(c1) from higgs")
    return data


def boosting_fits(cursor, what, x, y, x_test, y_test, source, test_source, peer=None, params="{}", plain_lightgbm=True):
    """Fits alone, binning included, on the same rows: the peers from memory, ours as the run's record says."""
    peer = peer or {}
    contenders = {"LightGBM, quantised": lambda: lightgbm_fit(x, y, **peer), "XGBoost": lambda: xgboost_fit(x, y, **peer)}
    if plain_lightgbm:
        contenders["LightGBM"] = lambda: lightgbm_fit(x, y, quantised=False, **peer)
    results = rounds_of({**contenders, "mlops": lambda: mlops_train(cursor, source, params=params)})
    seconds = {name: [s for s, _ in values] for name, values in results.items()}
    seconds["mlops"] = [trained["phases"]["fit"] for _, trained in results["mlops"]]
    scores = {name: f"{roc_auc_score(y_test, (xgboost_predict if name == 'XGBoost' else lambda m, r: m.predict(r))(values[-1][1], x_test)):.4f}"
              for name, values in results.items() if name != "mlops"}
    scores["mlops"] = f"{mlops_score(cursor, results['mlops'][-1][1], test_source):.4f}"
    return compare(what, seconds, scores)


def part_fit(cursor, data):
    load_million(cursor, data)
    return boosting_fits(cursor, f"boosting fit, {ROWS:,} x {FEATURES}, 100 trees of depth 6", data["x"], data["y"], data["x_test"], data["y_test"],
                         "higgs", "higgs_test")


def part_leaves(cursor, data):
    load_million(cursor, data)
    return boosting_fits(cursor, f"boosting fit, {ROWS:,} x {FEATURES}, 100 trees of 255 leaves", data["x"], data["y"], data["x_test"], data["y_test"],
                         "higgs", "higgs_test", {"leaves": 255, "depth": -1}, json.dumps(LEAVES_255), plain_lightgbm=False)


def held_out(cursor, fit, predict, score):
    """The expert's way: export, hold out a fifth, fit, measure; the model."""
    x, y = Copy.read(cursor, "higgs", FEATURES)
    cut = len(x) * 4 // 5
    model = fit(x[:cut], y[:cut])
    score(y[cut:], predict(model, x[cut:]))
    return model


def end_to_end(cursor, data, what, algorithm, task, metric, score, peers):
    """A table to a measured model: ours is stored, too.  A fifth of the rows is held out by both."""
    load_million(cursor, data)
    contenders = {name: (lambda pair=pair: held_out(cursor, pair[0], pair[1], score)) for name, pair in peers.items()}
    results = rounds_of({**contenders, "mlops": lambda: mlops_train(cursor, "higgs", algorithm, split='{"test": 0.2}', task=task)})
    seconds = {name: [s for s, _ in values] for name, values in results.items()}
    seconds["mlops"] = [trained["total"] for _, trained in results["mlops"]]    # Python's collector, 60 ms here, is not part of it
    scores = {name: f"{score(data['y_test'], predict(results[name][-1][1], data['x_test'].copy())):.4f}" for name, (_, predict) in peers.items()}
    trained = [result for _, result in results["mlops"]]
    scores["mlops"] = f"{mlops_score(cursor, trained[-1], 'higgs_test', metric):.4f}"
    data.setdefault("phases", []).append((algorithm, trained))
    return compare(what, seconds, scores)


def part_train(cursor, data):
    return end_to_end(cursor, data, f"table to version, boosting, {ROWS:,} x {FEATURES}", "gradient_boosting", "binary", "roc_auc", roc_auc_score,
                      {"COPY + LightGBM, quantised": (lightgbm_fit, lambda m, x: m.predict(x)), "COPY + XGBoost": (xgboost_fit, xgboost_predict)})


def part_linear(cursor, data):
    ridge = (lambda x, y: make_pipeline(StandardScaler(copy=False), Ridge(alpha=1e-3, solver="cholesky")).fit(x, y), lambda m, x: m.predict(x))
    newton = (lambda x, y: make_pipeline(StandardScaler(copy=False), LogisticRegression(C=1, solver="newton-cholesky")).fit(x, y),
              lambda m, x: m.predict_proba(x)[:, 1])
    lbfgs = (lambda x, y: make_pipeline(StandardScaler(copy=False), LogisticRegression(C=1)).fit(x, y), lambda m, x: m.predict_proba(x)[:, 1])
    return (end_to_end(cursor, data, f"table to version, linear regression, {ROWS:,} x {FEATURES}", "linear_regression", "regression", "rmse",
                       root_mean_squared_error, {"COPY + scikit-learn Ridge": ridge})
            + end_to_end(cursor, data, f"table to version, logistic regression, {ROWS:,} x {FEATURES}", "logistic_regression", "binary", "roc_auc",
                         roc_auc_score, {"COPY + scikit-learn newton-cholesky": newton, "COPY + scikit-learn lbfgs": lbfgs}))


def part_small(cursor, data):
    x, y = synthetic(20000, seed=2)
    x_test, y_test = synthetic(20000, seed=3)
    Copy.load(cursor, "small", x, y)
    Copy.load(cursor, "small_test", x_test, y_test)
    results = rounds_of({"LightGBM, the fit alone": lambda: lightgbm_fit(x, y, quantised=False), "mlops": lambda: mlops_train(cursor, "small")})
    seconds = {name: [s for s, _ in values] for name, values in results.items()}
    seconds["mlops"] = [trained["total"] for _, trained in results["mlops"]]
    scores = {"LightGBM, the fit alone": f"{roc_auc_score(y_test, results['LightGBM, the fit alone'][-1][1].predict(x_test)):.4f}",
              "mlops": f"{mlops_score(cursor, results['mlops'][-1][1], 'small_test'):.4f}"}
    return compare(f"table to version, boosting, 20,000 x {FEATURES}", seconds, scores)


def part_wide(cursor, data):
    x, y = synthetic(100000, features=500, seed=4)
    x_test, y_test = synthetic(20000, features=500, seed=5)
    Copy.load(cursor, "wide", x, y)
    Copy.load(cursor, "wide_test", x_test, y_test)
    return boosting_fits(cursor, "boosting fit, 100,000 x 500, 100 trees of depth 6", x, y, x_test, y_test, "wide", "wide_test")


def categories(rows, seed):
    """Six texts of 5 to 300 levels with effects of their own, and two numbers."""
    effects = numpy.random.default_rng(99)
    random = numpy.random.default_rng(seed)
    frame = pandas.DataFrame()
    z = numpy.zeros(rows)
    for i, levels in enumerate([5, 20, 50, 100, 200, 300]):
        codes = random.integers(0, levels, rows)
        z += effects.standard_normal(levels)[codes] * 0.5
        frame[f"k{i + 1}"] = pandas.Categorical.from_codes(codes, [f"level {n}" for n in range(levels)])
    for i in range(2):
        frame[f"v{i + 1}"] = random.standard_normal(rows).astype(numpy.float32)
        z += numpy.sin(2 * frame[f"v{i + 1}"])
    return frame, (random.random(rows) < 1 / (1 + numpy.exp(-z))).astype(numpy.float32)


def forest_fits(cursor, what, source, test_source, x_test, y_test, algorithm, peers, settings):
    """Fits of forests alone: each of the peers, a fit and its prediction, beside mlops with each of the settings."""
    ours = {name: (lambda params=params: mlops_train(cursor, source, algorithm, json.dumps(params))) for name, params in settings.items()}
    results = rounds_of({**{name: fit for name, (fit, _) in peers.items()}, **ours})
    seconds = {name: [s for s, _ in values] for name, values in results.items()}
    scores = {name: f"{roc_auc_score(y_test, predict(results[name][-1][1])):.4f}" for name, (_, predict) in peers.items()}
    for name in ours:
        trained = [result for _, result in results[name]]
        seconds[name] = [result["phases"]["fit"] for result in trained]
        scores[name] = f"{mlops_score(cursor, trained[-1], test_source):.4f}"
    return compare(what, seconds, scores)


def part_forest(cursor, data):
    load_million(cursor, data)
    shallow = {"n_estimators": 20, "max_depth": 10}
    bagged = dict(trees=1, depth=10, num_parallel_tree=20, eta=1, subsample=0.632, colsample_bynode=5.01 / FEATURES, reg_lambda=0)
    rows = forest_fits(cursor, f"random forest, {ROWS:,} x {FEATURES}, 20 trees of depth 10, 5 features a node", "higgs", "higgs_test",
                       data["x_test"], data["y_test"], "random_forest",
                       {"XGBoost": (lambda: xgboost_fit(data["x"], data["y"], **bagged), lambda m: xgboost_predict(m, data["x_test"]))},
                       {"mlops": {**shallow, "max_bin": 255, "oob_score": False},
                        "mlops, defaults: 1,024 bins, and out-of-bag metrics": shallow})
    x, y = synthetic(100000, seed=8)
    x_test, y_test = synthetic(100000, seed=9)
    Copy.load(cursor, "deep", x, y)
    Copy.load(cursor, "deep_test", x_test, y_test)
    probability = lambda m: m.predict_proba(x_test)[:, 1]
    deep = {"random_forest": (RandomForestClassifier, {"n_estimators": 100, "n_jobs": THREADS}),
            "extra_trees": (ExtraTreesClassifier, {"n_estimators": 100, "n_jobs": THREADS}),
            "decision_tree": (DecisionTreeClassifier, {})}
    for algorithm, (peer, settings) in deep.items():
        rows += forest_fits(cursor, f"{algorithm}, 100,000 x {FEATURES}, unlimited depth", "deep", "deep_test", x_test, y_test, algorithm,
                            {"scikit-learn": (lambda peer=peer, settings=settings: peer(**settings).fit(x, y), probability)}, {"mlops": {}})
    return rows


def load_frame(cursor, name, frame, y):
    import io
    buffer = io.StringIO()
    frame.assign(y=y).to_csv(buffer, index=False, header=False)
    buffer.seek(0)
    columns = ", ".join(f"{c} {'text' if c[0] == 'k' else 'real'}" for c in frame)
    cursor.execute(f"drop table if exists {name}; create table {name} ({columns}, y real)")
    cursor.copy_expert(f"copy {name} from stdin (format csv)", buffer)
    cursor.execute(f"vacuum (analyze, freeze) {name}")


def part_categories(cursor, data):
    x, y = categories(500000, 6)
    x_test, y_test = categories(100000, 7)
    load_frame(cursor, "kinds", x, y)
    load_frame(cursor, "kinds_test", x_test, y_test)
    return boosting_fits(cursor, "boosting fit, 500,000 x 8, six of them texts of 5 to 300 levels", x, y, x_test, y_test, "kinds", "kinds_test")


class BusyCore:
    """A process that would keep one core busy, in a session of its own, as any other program of the machine."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def part_busy(cursor, data):
    """Fits alone, and beside a process that wants a core: what they lose should be its share, and no more."""
    load_million(cursor, data)
    fits = {"LightGBM, quantised": lambda: timed(lambda: lightgbm_fit(data["x"], data["y"]))[0],
            "XGBoost": lambda: timed(lambda: xgboost_fit(data["x"], data["y"]))[0],
            "mlops": lambda: mlops_train(cursor, "higgs")["phases"]["fit"]}
    alone, beside = {name: [] for name in fits}, {name: [] for name in fits}
    for _ in range(ROUNDS):
        for name, fit in fits.items():
            alone[name].append(fit())
            with BusyCore():
                beside[name].append(fit())
    rows = compare(f"boosting fit, {ROWS:,} x {FEATURES}, 100 trees of depth 6, while one core is kept busy", beside, {})
    for row in rows:
        row[1] = f"{row[1]} ({median(beside[row[1]]) / median(alone[row[1]]):.2f} times its time alone)"
    return rows


def part_ten_million(cursor, data):
    load_million(cursor, data)
    data.clear()
    gc.collect()
    cursor.execute("drop table if exists ten; create table ten as select * from higgs limit 0")
    for seed in range(10):
        x, y = synthetic(1000000, seed=100 + seed)
        Copy.load(cursor, "piece", x, y)
        cursor.execute("insert into ten select * from piece")
    cursor.execute("drop table piece")
    cursor.execute("vacuum (analyze, freeze) ten")
    one_million = mlops_train(cursor, "higgs")["phases"]["fit"]
    trained = mlops_train(cursor, "ten")
    with TrainerMemory() as memory:
        mlops_train(cursor, "ten", params='{"n_estimators": 2}', split='{"test": 0.2}')
    per_value = memory.peak / (10e6 * FEATURES)
    x, y = Copy.read(cursor, "ten", FEATURES)
    peer, _ = timed(lambda: lightgbm_fit(x, y))
    what = f"boosting fit, 10,000,000 x {FEATURES} (once; ours is {trained['phases']['fit'] / one_million:.1f} times that of 1M; " \
           f"with a fifth held out the trainer has {per_value:.1f} bytes a value beside the rows)"
    return [[what, "LightGBM, quantised", f"{peer:.2f}", "1.00", ""],
            [what, "mlops", f"{trained['phases']['fit']:.2f}", f"{trained['phases']['fit'] / peer:.2f}", ""]]


PARTS = {"fit": part_fit, "train": part_train, "linear": part_linear, "leaves": part_leaves, "small": part_small, "wide": part_wide,
         "categories": part_categories, "forest": part_forest, "busy": part_busy, "ten-million": part_ten_million}


def phase_table(data):
    """Where the time of train() went: medians of the rounds."""
    rows = []
    for algorithm, trained in data.get("phases", []):
        seconds = [median([t["phases"][phase] for t in trained]) for phase in PHASES]
        rest = median([t["total"] - sum(t["phases"].values()) for t in trained])
        rows.append([algorithm] + [f"{s:.3f}" for s in seconds] + [f"{rest:.3f}", f"{median([t['total'] for t in trained]):.2f}"])
    return table(["algorithm"] + PHASES + ["store and the rest", "all"], rows) if rows else []


def main():
    only = [name for name in PARTS if name != "ten-million"]
    if "--only" in sys.argv:
        only = sys.argv[sys.argv.index("--only") + 1].split(",")
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        sys.exit(f"there is no part {unknown[0]!r}: {', '.join(PARTS)}")
    cursor = connect()
    data, rows = {}, []
    load = [load_average()]
    for name in only:
        rows += PARTS[name](cursor, data)
        load.append(load_average())
    phases = phase_table(data)
    lines = table(["work", "who", "seconds (median)", "to the fastest peer", "AUC (RMSE) on other rows"], rows)
    if phases:
        lines += ["", f"Seconds by phase of train() on {ROWS:,} x {FEATURES} rows, a fifth of them held out (medians; `mlops.run.timing`):", ""] + phases
    publish("training", "From rows to a model", lines,
            [f"{ROUNDS} rounds in turn, {THREADS} threads each, 255 bins, learning rate 0.1. Fits are of all rows and include binning. "
             "\"Table to version\" is the whole way: the peers' COPY binary into numpy, fit, prediction and metric; "
             "ours all of train(), the profile of the columns and the stored version included.",
             f"Load average of the machine before and after the parts: {', '.join(f'{v:.1f}' for v in load)}.",
             versions(cursor, lightgbm, xgboost, sklearn) + ".", machine() + "."])


if __name__ == "__main__":
    main()

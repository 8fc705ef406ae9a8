"""Predictions in SQL, per row and in batches, beside XGBoost and LightGBM on exported rows.

What is counted is processor time, of the server's process and of ours together: everything here runs on one core, so on
a quiet machine that is the time that passes, and on a busy one it is nearly the same.
"""
import os
import sys

import lightgbm
import numpy
import xgboost

from common import THREADS, Copy, connect, load_average, machine, median, processor_seconds_in_turn, publish, query, synthetic, table, versions

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", 1000000))
ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 3))
FEATURES = 28
LARGE_ROWS = min(ROWS, 200000)


def in_turn(cursor, rows, **contenders):
    """Median microseconds a row of each contender, in rounds."""
    seconds = processor_seconds_in_turn(cursor, ROUNDS, **contenders)
    return {name: median(values) / rows * 1e6 for name, values in seconds.items()}


def deploy(cursor, model, source, *arguments, task="binary"):
    """Trains a version and makes it answer; nothing is captured, for bench/run capture measures that."""
    query(cursor, f"select version from mlops.train('{model}', '{source}', 'y', task => '{task}', {', '.join(arguments + ('seed => 1',))})")
    query(cursor, f"select mlops.deploy('{model}', capture => '{{\"mode\": \"off\"}}')")


def part_row(cursor, data):
    """Depth 6: what a query costs, step by step, and what the peers cost."""
    deploy(cursor, "serve", "higgs")
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "tree_method": "hist", "nthread": THREADS},
                            xgboost.QuantileDMatrix(*data), 100)
    booster.set_param({"nthread": 1})
    light = lightgbm.train({"objective": "binary", "max_depth": 6, "num_leaves": 64, "verbose": -1, "num_threads": THREADS},
                           lightgbm.Dataset(*data), 100)
    rows = {"x": Copy.read(cursor, "higgs", FEATURES)[0]}
    each = in_turn(cursor, ROWS,
                   scan=lambda: query(cursor, "select sum(c28) from higgs"),
                   whole=lambda: query(cursor, "select count(h) from higgs h"),
                   predict=lambda: query(cursor, "select sum(mlops.predict_proba('serve', h)) from higgs h"),
                   twice=lambda: query(cursor, "select sum(mlops.predict_proba('serve', h)), max(mlops.predict_class('serve', h)) from higgs h"),
                   batch=lambda: query(cursor, "select count(*) from mlops.predict_batch('serve', 'higgs')"),
                   insert=lambda: query(cursor, "with done as (insert into answer select * from mlops.predict_batch('serve', 'higgs') returning 1)"
                                        " select count(*) from done"),
                   export=lambda: Copy.read(cursor, "higgs", FEATURES),
                   xgboost=lambda: booster.inplace_predict(rows["x"]),
                   lightgbm=lambda: light.predict(rows["x"], num_threads=1))
    what = "100 trees of depth 6"
    return [[what, "select sum(c28): the scan alone", each["scan"]],
            [what, "select count(h): the scan, and each row as a value", each["whole"]],
            [what, "select sum(predict_proba('m', h))", each["predict"]],
            [what, "the same, and predict_class('m', h)", each["twice"]],
            [what, "predict_batch('m', 'h')", each["batch"]],
            [what, "insert ... select from predict_batch('m', 'h')", each["insert"]],
            [what, "XGBoost, rows in memory", each["xgboost"]],
            [what, "LightGBM, rows in memory", each["lightgbm"]],
            [what, "COPY binary into numpy, and XGBoost", each["export"] + each["xgboost"]]]


def part_mixed(cursor, data):
    """Eight text categories, NULL in a tenth of the cells."""
    columns = [f"c{i}" for i in range(1, FEATURES + 1)]
    texts = [f"'t' || (abs(c{i}) * {4 + 3 * i})::int % {4 + 6 * i} as t{i}" for i in range(1, 9)]
    holes = [f"case when random() >= 0.1 then {name} end as {name}" for name in columns + [f"t{i}" for i in range(1, 9)]]
    cursor.execute(f"create table mixed as select {', '.join(holes)}, y from (select *, {', '.join(texts)} from higgs) h")
    cursor.execute("vacuum (analyze, freeze) mixed")
    deploy(cursor, "mixed", "mixed")
    each = in_turn(cursor, ROWS,
                   whole=lambda: query(cursor, "select count(m) from mixed m"),
                   predict=lambda: query(cursor, "select sum(mlops.predict_proba('mixed', m)) from mixed m"),
                   batch=lambda: query(cursor, "select count(*) from mlops.predict_batch('mixed', 'mixed')"))
    what = "28 numbers, 8 texts, NULL in a tenth"
    return [[what, "select count(m)", each["whole"]],
            [what, "select sum(predict_proba('m', m))", each["predict"]],
            [what, "predict_batch('m', 'm')", each["batch"]]]


def part_linear(cursor, data):
    deploy(cursor, "linear", "higgs", "algorithm => 'linear_regression'", task="regression")
    deploy(cursor, "logistic", "higgs", "algorithm => 'logistic_regression'")
    each = in_turn(cursor, ROWS, linear=lambda: query(cursor, "select sum(mlops.predict('linear', h)) from higgs h"),
                   logistic=lambda: query(cursor, "select sum(mlops.predict_proba('logistic', h)) from higgs h"),
                   batch=lambda: query(cursor, "select count(*) from mlops.predict_batch('logistic', 'higgs')"))
    return [["linear regression", "select sum(predict('m', h))", each["linear"]],
            ["logistic regression", "select sum(predict_proba('m', h))", each["logistic"]],
            ["logistic regression", "predict_batch('m', 'h')", each["batch"]]]


def part_large(cursor, data):
    """1,000 trees of 255 leaves, on fewer rows."""
    x, y = (values[:LARGE_ROWS] for values in data)
    Copy.load(cursor, "large", x, y)
    deploy(cursor, "large", "large", """params => '{"n_estimators": 1000, "max_leaves": 255, "max_depth": 0, "grow_policy": "lossguide"}'""")
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 0, "max_leaves": 255, "grow_policy": "lossguide", "eta": 0.1,
                             "tree_method": "hist", "nthread": THREADS}, xgboost.QuantileDMatrix(x, y), 1000)
    booster.set_param({"nthread": 1})
    light = lightgbm.train({"objective": "binary", "num_leaves": 255, "verbose": -1, "num_threads": THREADS}, lightgbm.Dataset(x, y), 1000)
    each = in_turn(cursor, LARGE_ROWS,
                   predict=lambda: query(cursor, "select sum(mlops.predict_proba('large', l)) from large l"),
                   batch=lambda: query(cursor, "select count(*) from mlops.predict_batch('large', 'large')"),
                   xgboost=lambda: booster.inplace_predict(x),
                   lightgbm=lambda: light.predict(x, num_threads=1))
    what = "1,000 trees of 255 leaves"
    return [[what, "select sum(predict_proba('m', l))", each["predict"]],
            [what, "predict_batch('m', 'l')", each["batch"]],
            [what, "XGBoost, rows in memory", each["xgboost"]],
            [what, "LightGBM, rows in memory", each["lightgbm"]]]


PARTS = {"row": part_row, "mixed": part_mixed, "linear": part_linear, "large": part_large}


def main():
    only = list(PARTS)
    if "--only" in sys.argv:
        only = sys.argv[sys.argv.index("--only") + 1].split(",")
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        sys.exit(f"there is no part {unknown[0]!r}: {', '.join(PARTS)}")
    cursor = connect()
    cursor.execute("set max_parallel_workers_per_gather = 0; set jit = off; set work_mem = '64MB'")
    data = synthetic(ROWS)
    Copy.load(cursor, "higgs", *data)
    cursor.execute("create unlogged table answer (id text, prediction float8, class text, probability float8)")
    load, rows = [load_average()], []
    for name in only:
        rows += PARTS[name](cursor, data)
        load.append(load_average())
    publish("serving", f"What a prediction costs: {ROWS:,} rows x {FEATURES} float4, one core",
            table(["model", "what", "µs of processor time a row (median)"], [[*row[:2], f"{row[2]:.2f}"] for row in rows]),
            [f"{ROUNDS} rounds in turn, no parallel plan, model in memory, no capture, server and client together; "
             f"the 1,000 trees on {LARGE_ROWS:,} rows.",
             f"Load average of the machine before and after the parts: {', '.join(f'{v:.1f}' for v in load)}.",
             versions(cursor, xgboost, lightgbm, numpy) + ".", machine() + "."])


if __name__ == "__main__":
    main()

"""predict() over 1M rows in SQL, beside XGBoost on exported rows."""
import os

import xgboost

from common import Copy, connect, in_turn, machine, median, query, report, synthetic, versions

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", 1000000))
ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 3))
FEATURES = 28


def main():
    cursor = connect()
    x, y = synthetic(ROWS)
    Copy.load(cursor, "higgs", x, y)
    cursor.execute("set max_parallel_workers_per_gather = 0; set jit = off")
    query(cursor, "select version from mlops.train('serve', 'higgs', 'y', task => 'binary')")
    query(cursor, "select mlops.deploy('serve')")
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "tree_method": "hist", "nthread": 2},
                            xgboost.QuantileDMatrix(x, y), 100)
    booster.set_param({"nthread": 1})
    rows = {}

    def read():
        rows["x"] = Copy.read(cursor, "higgs", FEATURES)[0]

    seconds = in_turn(ROUNDS,
                      scan=lambda: query(cursor, "select sum(c28) from higgs"),
                      predict=lambda: query(cursor, "select sum(mlops.predict_proba('serve', higgs)) from higgs"),
                      export=read,
                      xgboost=lambda: booster.inplace_predict(rows["x"]))
    each = {name: median(values) / ROWS * 1e6 for name, values in seconds.items()}
    report("predict", f"predictions for {ROWS:,} rows x {FEATURES} float4, 100 trees of depth 6, one core",
           ["what", "µs a row (median)"],
           [["select sum(c28): scan and deform alone", f"{each['scan']:.2f}"],
            ["select sum(mlops.predict_proba('serve', t)): all of it", f"{each['predict']:.2f}"],
            ["XGBoost inplace_predict on rows in memory", f"{each['xgboost']:.2f}"],
            ["COPY binary export + XGBoost", f"{each['export'] + each['xgboost']:.2f}"]],
           [f"{ROUNDS} rounds in turn, no parallel plan, model cached.", versions(cursor, xgboost) + ".", machine() + "."])


if __name__ == "__main__":
    main()

"""Exact Shapley values in SQL, beside XGBoost and LightGBM on exported rows."""
import os

import lightgbm
import xgboost

from common import Copy, connect, load_average, machine, median, one, processor_seconds_in_turn, query, report, synthetic, versions

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", 1000000))
ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 3))
EXPLAINED = 2000
FEATURES = 28


def main():
    cursor = connect()
    x, y = synthetic(ROWS)
    Copy.load(cursor, "higgs", x, y)
    cursor.execute(f"set max_parallel_workers_per_gather = 0; set jit = off; set work_mem = '64MB';"
                   f"create table few as select row_number() over () as id, * from higgs limit {EXPLAINED}")
    query(cursor, "select version from mlops.train('why', 'higgs', 'y', task => 'binary')")
    query(cursor, "select mlops.deploy('why')")
    splits = one(cursor, "select count(*) from mlops.trees('why') where feature is not null")
    params = {"max_depth": 6, "nthread": 2}
    xgb = xgboost.train({**params, "objective": "binary:logistic", "eta": 0.1, "tree_method": "hist"}, xgboost.QuantileDMatrix(x, y), 100)
    xgb.set_param({"nthread": 1})
    lgb = lightgbm.train({**params, "objective": "binary", "learning_rate": 0.1, "num_leaves": 64, "verbose": -1}, lightgbm.Dataset(x, y), 100)
    rows = x[:EXPLAINED]
    matrix = xgboost.DMatrix(rows)
    seconds = processor_seconds_in_turn(cursor, ROUNDS,
                                        batch=lambda: query(cursor, "select count(*), sum(contribution) from mlops.explain_batch('why', 'few', 'id')"),
                                        single=lambda: query(cursor, "select sum(e.contribution) from few s, lateral mlops.explain('why', s) e"),
                                        top=lambda: query(cursor, "select sum(e.contribution) from few s, lateral mlops.explain('why', s, 0) e"),
                                        pairs=lambda: query(cursor, "select sum(e.contribution) from few s, lateral mlops.explain_interactions('why', s, 0) e"),
                                        xgboost=lambda: xgb.predict(matrix, pred_contribs=True),
                                        lightgbm=lambda: lgb.predict(rows, pred_contrib=True, num_threads=1))
    each = {name: median(values) / EXPLAINED * 1e6 for name, values in seconds.items()}
    worst = one(cursor, "select max(abs(e.total - ln(p / (1 - p)))) from few s, lateral (select mlops.predict_proba('why', s) as p) q,"
                        " lateral (select sum(contribution) as total from mlops.explain('why', s)) e")
    report("explain", f"explanations of {EXPLAINED:,} rows x {FEATURES} float4, 100 trees of depth 6 ({splits:,} splits), one core",
           ["what", "µs a row (median)"],
           [["mlops.explain(), all columns and the base value as rows of SQL", f"{each['single']:.1f}"],
            ["mlops.explain(), their sum alone: Shapley values without 28 rows of SQL", f"{each['top']:.1f}"],
            ["mlops.explain_batch(), all columns and the base value", f"{each['batch']:.1f}"],
            ["mlops.explain_interactions(), 406 pairs", f"{each['pairs']:.1f}"],
            ["XGBoost pred_contribs on rows in memory", f"{each['xgboost']:.1f}"],
            ["LightGBM pred_contrib on rows in memory", f"{each['lightgbm']:.1f}"]],
           [f"{ROUNDS} rounds in turn, processor time, no parallel plan, model cached; load average {load_average():.1f}.",
            f"Sums miss the log odds by at most {worst:.1g}.", versions(cursor, xgboost, lightgbm) + ".", machine() + "."])


if __name__ == "__main__":
    main()

"""1M x 28 from a table to a registered version, beside the expert's export and LightGBM or XGBoost."""
import os

import lightgbm
import xgboost
from sklearn.metrics import roc_auc_score

from common import THREADS, Copy, connect, in_turn, machine, median, one, query, report, synthetic, versions

ROWS = int(os.environ.get("MLOPS_BENCH_ROWS", 1000000))
ROUNDS = int(os.environ.get("MLOPS_BENCH_ROUNDS", 3))
FEATURES = 28


def main():
    cursor = connect()
    x, y = synthetic(ROWS)
    x_test, y_test = synthetic(ROWS // 5, seed=1)
    Copy.load(cursor, "higgs", x, y)
    Copy.load(cursor, "higgs_test", x_test, y_test)
    cursor.execute("select sum(c1) from higgs")
    models = {}

    def export():
        return Copy.read(cursor, "higgs", FEATURES)

    def lightgbm_quantised():
        features, label = export()
        data = lightgbm.Dataset(features, label, params={"max_bin": 255, "verbose": -1})
        models["lightgbm"] = lightgbm.train({"objective": "binary", "num_leaves": 64, "max_depth": 6, "learning_rate": 0.1, "max_bin": 255,
                                             "use_quantized_grad": True, "num_threads": THREADS, "verbose": -1}, data, 100)

    def xgboost_hist():
        features, label = export()
        data = xgboost.QuantileDMatrix(features, label, max_bin=256, nthread=THREADS)
        models["xgboost"] = xgboost.train({"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "max_bin": 256, "tree_method": "hist",
                                           "nthread": THREADS}, data, 100)

    def mlops(algorithm, params="{}"):
        models["mlops"] = query(cursor, "select version, metrics from mlops.train('bench', 'higgs', 'y', algorithm => %s, params => %s, "
                                        "task => 'binary')", algorithm, params)[0][0]

    seconds = in_turn(ROUNDS,
                      export=export,
                      lightgbm=lightgbm_quantised,
                      xgboost=xgboost_hist,
                      mlops=lambda: mlops("gradient_boosting"))
    boosted = models["mlops"]
    auc = {
        "lightgbm": roc_auc_score(y_test, models["lightgbm"].predict(x_test)),
        "xgboost": roc_auc_score(y_test, models["xgboost"].predict(xgboost.DMatrix(x_test))),
        "mlops": one(cursor, f"select value from mlops.evaluate('bench@{boosted}', 'higgs_test') where metric = 'roc_auc'"),
    }
    fastest = min(median(seconds["lightgbm"]), median(seconds["xgboost"]))
    rows = [["COPY binary into numpy (part of both peers)", f"{median(seconds['export']):.2f}", "", ""],
            ["COPY binary + LightGBM, quantised", f"{median(seconds['lightgbm']):.2f}", f"{median(seconds['lightgbm']) / fastest:.2f}", f"{auc['lightgbm']:.4f}"],
            ["COPY binary + XGBoost, hist", f"{median(seconds['xgboost']):.2f}", f"{median(seconds['xgboost']) / fastest:.2f}", f"{auc['xgboost']:.4f}"],
            ["mlops.train(), all of it", f"{median(seconds['mlops']):.2f}", f"{median(seconds['mlops']) / fastest:.2f}", f"{auc['mlops']:.4f}"]]
    for algorithm in ("baseline", "logistic_regression"):
        other = in_turn(ROUNDS, run=lambda name=algorithm: mlops(name))["run"]
        rows.append([f"mlops.train(), {algorithm}", f"{median(other):.2f}", "", ""])
    report("training", f"{ROWS:,} x {FEATURES} rows of a table to a model (100 trees, depth 6, 255 bins)",
           ["what", "seconds (median)", "to the fastest peer", "AUC on other rows"], rows,
           [f"{ROUNDS} rounds in turn. mlops holds out a fifth of the rows and measures on it, profiles the columns and stores the version; the peers only fit.",
            versions(cursor, lightgbm, xgboost) + ".", machine() + "."])


if __name__ == "__main__":
    main()

"""How good the models of gradient boosting are beside the peers': over seeds, objectives and weights.

    bench/run accuracy                          every part
    bench/run accuracy --only seeds             one: seeds, objectives, weights

A difference of one pair of fits says little: whether trees find an interaction early is chance, and the AUC of one and
the same library moves by .003 from sample to sample.  So the part `seeds` fits many samples, and compares by pairs.
"""
import json
import os
import sys

import lightgbm
import numpy
import xgboost
from sklearn.metrics import mean_gamma_deviance, mean_pinball_loss, mean_poisson_deviance, mean_tweedie_deviance, roc_auc_score

from common import THREADS, Copy, connect, machine, need_data, publish, query, synthetic, table, versions
from parity import FOLDS, load
from training import LEAVES_255, categories, lightgbm_fit, load_frame, mlops_score, mlops_train, xgboost_fit, xgboost_predict

ROWS = int(os.environ.get("MLOPS_BENCH_ACCURACY_ROWS", 100000))
SEEDS = int(os.environ.get("MLOPS_BENCH_SEEDS", 10))
QUANTILE, HUBER, POWER = 0.8, 50, 1.5


# ---- Many samples of made data ----

def samples(cursor, make, put):
    """For each seed: training rows and twice as many test rows, in memory and in the tables `sample` and `sample_test`."""
    for seed in range(SEEDS):
        train, test = make(ROWS, 1000 + 2 * seed), make(2 * ROWS, 1001 + 2 * seed)
        put("sample", *train)
        put("sample_test", *test)
        yield train, test


def seeds_of(cursor, what, make, put, peer=None, params="{}"):
    """Mean AUC of each, its spread, and the mean of our differences by sample with its standard error."""
    peer = peer or {}
    scores = {"LightGBM": [], "XGBoost": [], "mlops": []}
    for (x, y), (x_test, y_test) in samples(cursor, make, put):
        scores["LightGBM"].append(roc_auc_score(y_test, lightgbm_fit(x, y, quantised=False, **peer).predict(x_test)))
        scores["XGBoost"].append(roc_auc_score(y_test, xgboost_predict(xgboost_fit(x, y, **peer), x_test)))
        scores["mlops"].append(mlops_score(cursor, mlops_train(cursor, "sample", params=params), "sample_test"))
    rows = []
    for name, values in scores.items():
        ahead = numpy.subtract(scores["mlops"], values)
        error = numpy.std(ahead, ddof=1) / numpy.sqrt(SEEDS)
        rows.append([what, name, f"{numpy.mean(values):.4f}", f"{numpy.std(values, ddof=1):.4f}",
                     "" if name == "mlops" else f"{numpy.mean(ahead):+.4f} ± {error:.4f}"])
    return rows


def part_seeds(cursor):
    numbers = lambda name, x, y: Copy.load(cursor, name, x, y)
    kinds = lambda name, x, y: load_frame(cursor, name, x, y)
    make = lambda rows, seed: synthetic(rows, seed=seed)
    rows = (seeds_of(cursor, f"{ROWS:,} x 28, depth 6", make, numbers)
            + seeds_of(cursor, f"{ROWS:,} x 28, 255 leaves", make, numbers, {"leaves": 255, "depth": -1}, json.dumps(LEAVES_255))
            + seeds_of(cursor, f"{ROWS:,} x 8, six texts of up to 300 levels", categories, kinds))
    return table(["data", "who", f"mean AUC of {SEEDS} samples", "their deviation", "mlops ahead by"], rows)


# ---- Objectives on the housing data ----

def huber(truth, prediction):
    """XGBoost's and ours: quadratic near 0, linear far away, smooth between.  LightGBM's is cut sharply."""
    z = (prediction - truth) / HUBER
    return numpy.mean(HUBER ** 2 * (numpy.sqrt(1 + z ** 2) - 1))


# mlops' name, its parameters, LightGBM's, XGBoost's, the loss that it is about
OBJECTIVES = [
    ("squared_error", {}, {"objective": "regression"}, {"objective": "reg:squarederror"}, lambda t, p: numpy.sqrt(numpy.mean((t - p) ** 2))),
    ("absolute_error", {}, {"objective": "l1"}, {"objective": "reg:absoluteerror"}, lambda t, p: numpy.mean(abs(t - p))),
    ("quantile", {"quantile_alpha": QUANTILE}, {"objective": "quantile", "alpha": QUANTILE},
     {"objective": "reg:quantileerror", "quantile_alpha": QUANTILE}, lambda t, p: mean_pinball_loss(t, p, alpha=QUANTILE)),
    ("huber", {"huber_delta": HUBER}, None, {"objective": "reg:pseudohubererror", "huber_slope": HUBER, "base_score": 180}, huber),
    ("poisson", {}, {"objective": "poisson"}, {"objective": "count:poisson"}, mean_poisson_deviance),
    ("gamma", {}, {"objective": "gamma"}, {"objective": "reg:gamma"}, mean_gamma_deviance),
    ("tweedie", {"tweedie_variance_power": POWER}, {"objective": "tweedie", "tweedie_variance_power": POWER},
     {"objective": "reg:tweedie", "tweedie_variance_power": POWER}, lambda t, p: mean_tweedie_deviance(t, p, power=POWER)),
]


def mlops_predictions(cursor, source, target, fold, task, params, weight=None):
    """Predictions of the rows of a fold by a model of the others, in order of id; of a classification the second class' probability."""
    version = query(cursor, "select version from mlops.train('bench', %s, %s, params => %s, exclude => %s, split => '{\"test\": 0}', "
                            "task => %s, weight => %s)", f"select * from {source} where fold <> {fold}", target, json.dumps(params),
                    ["id", "fold"] + (["fnlwgt"] if source == "adult" else []), task, weight)[0][0]
    function = "predict" if task == "regression" else "predict_proba"
    return numpy.array([row[0] for row in query(
        cursor, f"select mlops.{function}('bench@{version}', t) from {source} t where fold = {fold} order by id")], float)


def encoded(frame, *dropped):
    """Features as the peers take them."""
    x = frame.drop(columns=[c for c in dropped if c in frame])
    for c in x:
        if x[c].dtype.kind not in "ifb":
            x[c] = x[c].astype("category")
    return x


def lightgbm_predictions(params, x, y, x_test, weight=None):
    params = {"max_depth": 6, "num_leaves": 64, "learning_rate": 0.1, "lambda_l2": 1, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 1,
              "num_threads": THREADS, "verbose": -1, **params}
    return lightgbm.train(params, lightgbm.Dataset(x, y, weight=weight), 100).predict(x_test)


def xgboost_predictions(params, x, y, x_test, weight=None):
    params = {"max_depth": 6, "eta": 0.1, "tree_method": "hist", "nthread": THREADS, **params}
    data = xgboost.QuantileDMatrix(x, y, weight=weight, enable_categorical=True)
    return xgboost.train(params, data, 100).predict(xgboost.DMatrix(x_test, enable_categorical=True))


def part_objectives(cursor):
    frame = load(cursor, "housing")
    cursor.execute("alter table housing add price float8; update housing set price = median_house_value / 1000.0;"
                   "alter table housing drop median_house_value")
    y = (frame["median_house_value"] / 1000).to_numpy()
    x = encoded(frame, "median_house_value")
    fold = numpy.arange(len(x)) % FOLDS
    rows = []
    for name, own, light, xgb, loss in OBJECTIVES:
        losses = {"mlops": [], "LightGBM": [], "XGBoost": []}
        for k in range(FOLDS):
            train, test = fold != k, fold == k
            losses["mlops"].append(loss(y[test], mlops_predictions(cursor, "housing", "price", k, "regression", {"objective": name, **own})))
            if light is not None:
                losses["LightGBM"].append(loss(y[test], lightgbm_predictions(light, x[train], y[train], x[test])))
            losses["XGBoost"].append(loss(y[test], xgboost_predictions(xgb, x[train], y[train], x[test])))
        means = {who: numpy.mean(values) for who, values in losses.items() if values}
        best = min(value for who, value in means.items() if who != "mlops")
        rows.append([name] + [f"{means[who]:.5g}" if who in means else "has another" for who in losses] + [f"{means['mlops'] / best:.3f}"])
    return table(["objective", "mlops", "LightGBM", "XGBoost", "to the better peer"], rows)


# ---- A few heavy rows among those of the adult data ----

def part_weights(cursor):
    frame = load(cursor, "adult")
    y = (frame["income"] == ">50K").to_numpy(float)
    x = encoded(frame, "income", "fnlwgt")
    fold = numpy.arange(len(x)) % FOLDS
    rows = []
    cursor.execute("alter table adult add heavy float8")
    for heavy in (1, 1e3, 1e5, 1e7, 1e9, 1e12):
        weight = numpy.where(numpy.arange(len(x)) % 4000 == 17, heavy, 1.0)
        cursor.execute("update adult set heavy = case when (id - 1) %% 4000 = 17 then %s else 1 end", (heavy,))
        scores = {"mlops": [], "LightGBM": [], "XGBoost": []}
        for k in range(FOLDS):
            train, test = fold != k, fold == k
            scores["mlops"].append(roc_auc_score(y[test], mlops_predictions(cursor, "adult", "income", k, "binary", {}, "heavy")))
            scores["LightGBM"].append(roc_auc_score(y[test], lightgbm_predictions({"objective": "binary"}, x[train], y[train], x[test], weight[train])))
            scores["XGBoost"].append(roc_auc_score(y[test], xgboost_predictions({"objective": "binary:logistic"}, x[train], y[train], x[test],
                                                                               weight[train])))
        rows.append([f"{heavy:.0e}"] + [f"{numpy.mean(values):.4f}" for values in scores.values()])
    return table(["weight of one row in 4,000", "mlops", "LightGBM", "XGBoost"], rows)


PARTS = {"seeds": ("Samples of made data", part_seeds),
         "objectives": ("Losses of five folds of the housing data (prices in thousands)", part_objectives),
         "weights": ("AUC of five folds of the adult data, unweighted, where some training rows are heavy", part_weights)}


def main():
    only = sys.argv[sys.argv.index("--only") + 1].split(",") if "--only" in sys.argv else list(PARTS)
    unknown = [name for name in only if name not in PARTS]
    if unknown:
        sys.exit(f"there is no part {unknown[0]!r}: {', '.join(PARTS)}")
    if only != ["seeds"]:
        need_data()
    cursor = connect()
    lines = []
    for name in only:
        title, part = PARTS[name]
        lines += [title + ":", ""] + part(cursor) + [""]
    publish("accuracy", "Gradient boosting beside the peers", lines[:-1],
            ["100 trees of depth 6 (64 leaves) unless said otherwise, learning rate 0.1, everything else at its default; but on real data LightGBM "
             "has our penalties (`lambda_l2`, `min_data_in_leaf` and `min_sum_hessian_in_leaf` 1), and XGBoost's huber starts from the median.",
             versions(cursor, lightgbm, xgboost) + ".", machine() + "."])


if __name__ == "__main__":
    main()

"""Five folds on real data: mlops beside LightGBM, XGBoost and scikit-learn, and the same rows shuffled."""
import os

import lightgbm
import numpy
import pandas
import sklearn
import xgboost
from sklearn.ensemble import (ExtraTreesClassifier, ExtraTreesRegressor, HistGradientBoostingClassifier, HistGradientBoostingRegressor,
                              RandomForestClassifier, RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import root_mean_squared_error, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from common import DATA, THREADS, connect, machine, need_data, one, query, report, versions

FOLDS = 5
SETS = {
    "adult": {"target": "income", "positive": ">50K", "metric": "roc_auc", "linear": "logistic_regression"},
    "housing": {"target": "median_house_value", "positive": None, "metric": "rmse", "linear": "linear_regression"},
    "elec": {"target": "class", "positive": 1, "metric": "roc_auc", "linear": None},
}
FORESTS = ("random_forest", "extra_trees", "decision_tree")
SQL_TYPES = {"i": "int", "f": "float8", "b": "boolean"}


def load(cursor, name):
    """The data set as a data frame and, with a column `fold`, as a table."""
    path = os.path.join(DATA, name + ".csv")
    frame = pandas.read_csv(path)
    columns = ", ".join(f'"{c}" {SQL_TYPES.get(t.kind, "text")}' for c, t in frame.dtypes.items())
    names = ", ".join(f'"{c}"' for c in frame)
    cursor.execute(f"drop table if exists {name}; create table {name} (id int generated always as identity, {columns})")
    with open(path, encoding="utf8") as file:
        cursor.copy_expert(f"copy {name} ({names}) from stdin (format csv, header)", file)
    cursor.execute(f"alter table {name} add fold int; update {name} set fold = (id - 1) % {FOLDS}; analyze {name};"
                   f"drop table if exists {name}_shuffled;"
                   f"create table {name}_shuffled as select * from {name} order by md5(id::text)")
    return frame


def score(spec, truth, prediction):
    if spec["metric"] == "rmse":
        return root_mean_squared_error(truth, prediction)
    return roc_auc_score(truth, prediction)


def with_codes(x, texts):
    """What scikit-learn's trees take: categories as their numbers, missing values as they are, float32."""
    codes = x.copy()
    for c in texts:
        codes[c] = x[c].cat.codes.where(x[c].notna()).astype(float)
    return codes.astype(numpy.float32)


def peers(frame, spec):
    """Mean over the folds of each peer's score, by the algorithm that it is a peer of."""
    classify = spec["positive"] is not None
    y = (frame[spec["target"]] == spec["positive"]).astype(float) if classify else frame[spec["target"]].astype(float)
    x = frame.drop(columns=[spec["target"]] + (["fnlwgt"] if "fnlwgt" in frame else []))
    texts = [c for c in x if x[c].dtype.kind not in "ifb"]
    numbers = [c for c in x if c not in texts]
    for c in texts:
        x[c] = x[c].astype("category")
    fold = numpy.arange(len(x)) % FOLDS
    scores = {}

    def add(algorithm, name, make, predict, x=x):
        values = []
        for k in range(FOLDS):
            model = make()
            model.fit(x[fold != k], y[fold != k])
            values.append(score(spec, y[fold == k], predict(model, x[fold == k])))
        scores.setdefault(algorithm, {})[name] = numpy.mean(values)

    probability = (lambda m, rows: m.predict_proba(rows)[:, 1]) if classify else (lambda m, rows: m.predict(rows))
    lgb = lightgbm.LGBMClassifier if classify else lightgbm.LGBMRegressor
    xgb = xgboost.XGBClassifier if classify else xgboost.XGBRegressor
    hist = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
    add("gradient_boosting", "LightGBM", lambda: lgb(n_estimators=100, learning_rate=0.1, max_depth=6, num_leaves=64, n_jobs=THREADS, verbose=-1), probability)
    add("gradient_boosting", "XGBoost", lambda: xgb(n_estimators=100, learning_rate=0.1, max_depth=6, tree_method="hist", enable_categorical=True, n_jobs=THREADS), probability)
    add("gradient_boosting", "HistGradientBoosting", lambda: hist(max_iter=100, learning_rate=0.1, max_depth=6, max_leaf_nodes=64, early_stopping=False,
                                             categorical_features="from_dtype"), probability)
    forest = RandomForestClassifier if classify else RandomForestRegressor
    extra = ExtraTreesClassifier if classify else ExtraTreesRegressor
    tree = DecisionTreeClassifier if classify else DecisionTreeRegressor
    codes = with_codes(x, texts)
    add("random_forest", "scikit-learn", lambda: forest(n_estimators=100, n_jobs=THREADS, random_state=1), probability, codes)
    add("extra_trees", "scikit-learn", lambda: extra(n_estimators=100, n_jobs=THREADS, random_state=1), probability, codes)
    add("decision_tree", "scikit-learn", lambda: tree(random_state=1), probability, codes)
    if spec["linear"]:
        encode = lambda: ColumnTransformer([("n", make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
                                            ("c", OneHotEncoder(handle_unknown="ignore"), texts)])
        for c in texts:
            x[c] = x[c].astype(object)
        linear = (lambda: make_pipeline(encode(), LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-14, max_iter=200))) if classify \
            else (lambda: make_pipeline(encode(), Ridge(alpha=1.0, solver="cholesky")))
        add(spec["linear"], "scikit-learn", linear, probability, x.copy())
    return scores


def ours(cursor, name, spec, algorithm, params, table):
    """Mean over the folds of the stored metric, and the hashes of the models."""
    values, hashes = [], []
    for k in range(FOLDS):
        source = f"select *, fold = {k} as held_out from {table}"
        exclude = [c for c in ("id", "fold", "fnlwgt") if name == "adult" or c != "fnlwgt"]
        run, model, version, metrics = query(
            cursor, "select run_id, model, version, metrics from mlops.train(%s, %s, %s, algorithm => %s, params => %s, exclude => %s, "
                    "split => '{\"column\": \"held_out\"}', task => %s)",
            f"{name}_{algorithm}", source, spec["target"], algorithm, params, exclude,
            "regression" if spec["metric"] == "rmse" else "binary")[0]
        values.append(metrics[spec["metric"]])
        hashes.append(one(cursor, "select sha256 from mlops.model_version v join mlops.model m on m.id = v.model_id "
                                  "where m.name = %s and v.version = %s", f"{name}_{algorithm}", version).tobytes())
    return numpy.mean(values), hashes


def main():
    need_data()
    cursor = connect()
    rows = []
    for name, spec in SETS.items():
        frame = load(cursor, name)
        scores = peers(frame, spec)
        digits = 0 if spec["metric"] == "rmse" else 4
        show = lambda value: f"{value:,.{digits}f}"
        for algorithm in scores:
            params = '{"reg_lambda": 1}' if algorithm == spec["linear"] else "{}"
            value, hashes = ours(cursor, name, spec, algorithm, params, name)
            shuffled, shuffled_hashes = ours(cursor, name, spec, algorithm, params, name + "_shuffled")
            rows.append([name, algorithm, spec["metric"], show(value), ", ".join(f"{k} {show(v)}" for k, v in scores[algorithm].items()),
                         "bit for bit" if (hashes, value) == (shuffled_hashes, shuffled) else "DIFFERENT"])
    report("parity", "Five folds on real data (fold = row number modulo 5)",
           ["data", "algorithm", "metric", "mlops", "peers", "shuffled rows give the same models"], rows,
           ["Boosting: 100 trees, depth 6 (64 leaves), learning rate 0.1, everything else at its default; linear models with lambda 1.",
            "Forests: 100 trees, and single trees, of unlimited depth, all at their defaults. They differ in these: mlops cuts numbers into "
            "1,024 bins and splits categories into sets, scikit-learn cuts exactly and gets categories as ordinal codes; missing values are "
            "NULL and NaN.",
            versions(cursor, lightgbm, xgboost, sklearn) + ".", machine() + "."])


if __name__ == "__main__":
    main()

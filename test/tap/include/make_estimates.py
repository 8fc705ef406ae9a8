#!/usr/bin/env python3
"""Prints what NannyML 0.13 estimates for the rows of estimates.sql, as values for its tests.

The rows follow from their numbers alone, so that the test makes the same ones.
"""
import numpy as np
import pandas as pd
from nannyml import CBPE

METRICS = ["roc_auc", "average_precision", "f1", "precision", "recall", "specificity", "accuracy"]


def rows(first, last, power):
    i = np.arange(first, last)
    p = (i * 7919 % 10007 + 1) / 10008
    u = (i * 10473 % 9001 + 0.5) / 9001
    return pd.DataFrame({"p": p, "predicted": (p > 0.5).astype(int), "outcome": (u < p ** power).astype(int)})


reference = rows(0, 4000, 1.5)
analysis = rows(4000, 7000, 1.5).drop(columns="outcome")
estimator = CBPE(y_pred_proba="p", y_pred="predicted", y_true="outcome", metrics=METRICS,
                 problem_type="classification_binary", chunk_size=1500)
estimator.fit(reference)
estimates = estimator.estimate(analysis).filter(period="analysis").to_df()
print("needs calibration:", estimator.needs_calibration)
for metric in METRICS:
    values = estimates[(metric, "value")]
    errors = estimates[(metric, "sampling_error")]
    print(f"('{metric}', array[{float(values[0])!r}, {float(values[1])!r}], {float(errors[0])!r}),")

"""Prints the figures of Evidently's defaults in test/tap/monitor_presets.sql (pip install evidently==0.4.40 "numpy<2").

column, rows of the reference, test, what it gives, and whether it takes that for drift.
"""
import numpy as np
import pandas as pd
from evidently.calculations.stattests import get_stattest
from evidently.core import ColumnType


def rows(first, n, moved):
    i = np.arange(first, first + n)
    return pd.DataFrame({
        "wide": (i * 7919 % 1009) / 10 + 4 * moved,
        "few": i * 31 % 7 % (3 + moved),
        "word": np.where(i * 13 % 10 < 5 + moved, "a", np.where(i % 2 == 0, "b", "c")),
    })


for n in (800, 4000):
    reference, current = rows(1, n, 0), rows(100001, 500, 1)
    for column, kind in (("wide", ColumnType.Numerical), ("few", ColumnType.Numerical), ("word", ColumnType.Categorical)):
        test = get_stattest(reference[column], current[column], kind, None)
        value, drifted = test.func(reference[column].copy(), current[column].copy(), kind, 0.05 if n <= 1000 else 0.1)
        print(column, n, test.name, repr(float(value)), bool(drifted))

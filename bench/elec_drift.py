"""Draws docs/elec-drift.svg: the weekly PSI of elec's columns and their thresholds.

Reads lines "week,column,psi,threshold,verdict" from standard input, as this query gives them (psql -At -F,), of the monitor in docs/monitoring.md:

    select lower(period)::date, feature, value, threshold, verdict from mlops.drift
     where kind = 'drift' and metric = 'psi' and feature <> '' order by 2, 1
"""
import csv
import datetime
import math
import sys

WIDTH, ROW, LEFT, TOP = 860, 92, 96, 34
LEAST, MOST = 0.01, 20.0
TRAINED, OPENED = datetime.date(1997, 3, 3), datetime.date(1997, 5, 5)


def main():
    series = {}
    for week, column, value, threshold, verdict in csv.reader(sys.stdin):
        series.setdefault(column, []).append((datetime.date.fromisoformat(week), float(value), float(threshold), verdict))
    order = [c for c in ("nswprice", "nswdemand", "vicprice", "vicdemand", "transfer") if c in series]
    first = min(points[0][0] for points in series.values())
    last = max(points[-1][0] for points in series.values())

    def x(day):
        return LEFT + (WIDTH - LEFT - 16) * (day - first).days / (last - first).days

    def y(row, psi):
        share = math.log(min(max(psi, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
        return TOP + ROW * (row + 1) - 14 - (ROW - 22) * share

    height = TOP + ROW * len(order) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    for day, text in ((TRAINED, "end of training"), (OPENED, "the market opens")):
        out.append(f'<line x1="{x(day):.1f}" y1="{TOP - 8}" x2="{x(day):.1f}" y2="{height - 26}" stroke="#888" stroke-dasharray="4 3"/>')
        out.append(f'<text x="{x(day) - 4:.1f}" y="{TOP - 14}" text-anchor="end" fill="#555">{text}</text>')
    for row, column in enumerate(order):
        points = series[column]
        out.append(f'<text x="{LEFT - 8}" y="{y(row, 0.45):.1f}" text-anchor="end">{column}</text>')
        threshold = points[-1][2]  # of weeks that are not themselves part of what it comes from
        out.append(f'<line x1="{LEFT}" y1="{y(row, threshold):.1f}" x2="{WIDTH - 16}" y2="{y(row, threshold):.1f}" stroke="#c77"/>')
        out.append(f'<text x="{WIDTH - 14}" y="{y(row, threshold) - 3:.1f}" text-anchor="end" fill="#c77" font-size="10">{threshold:.2g}</text>')
        line = " ".join(f"{x(day):.1f},{y(row, psi):.1f}" for day, psi, _, _ in points)
        out.append(f'<polyline points="{line}" fill="none" stroke="#357"/>')
        for day, psi, _, verdict in points:
            alert = verdict == "alert"
            out.append(f'<circle cx="{x(day):.1f}" cy="{y(row, psi):.1f}" r="{3.4 if alert else 1.6}" fill="{"#c00" if alert else "#357"}"/>')
    for month in range(1, 16):
        day = datetime.date(1996 + (month + 5) // 12, (month + 5) % 12 + 1, 1)
        if first <= day <= last and month % 2 == 1:
            out.append(f'<text x="{x(day):.1f}" y="{height - 10}" text-anchor="middle" fill="#555">{day:%b %Y}</text>')
    out.append("</svg>")
    print("\n".join(out))


main()

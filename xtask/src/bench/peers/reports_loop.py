# Rows and sales per department with a plain loop.
import csv

totals = {}
with open("sales.csv", newline="", encoding="utf-8") as file:
    rows = csv.reader(file)
    next(rows)
    for department, _, sales in rows:
        total = totals.setdefault(department, [0, 0])
        total[0] += 1
        total[1] += int(sales)
with open("result", "w", encoding="utf-8") as result:
    for department in sorted(totals):
        result.write(f"{department}|{totals[department][0]}|{totals[department][1]}\n")

"""Goal: the average wage is per job title and unit of pay, and its window is the minute of processing.

Method: generated applications, processed at a given time; the averages are made once more in Python.
"""
import json
import pathlib

import truth

with truth.folder() as folder:
    file = pathlib.Path(f"{folder}/visa.jsonl")
    truth.generate("visa", file, "--seed", "3", "--count", "2000")
    lines = file.read_text().splitlines()
    # Without a wage, a unit or a title there is nothing to average.
    extra = ['{"jobTitle":"Clerk","wageUnitOfPay":"Year"}', '{"jobTitle":"Clerk","wageRangeFrom":1}', '{"wageUnitOfPay":"Year","wageRangeFrom":1}']
    file.write_text("\n".join(lines + extra) + "\n")
    wages = {}
    for line in lines:
        visa = json.loads(line)
        wages.setdefault((visa["jobTitle"], visa["wageUnitOfPay"]), []).append(visa["wageRangeFrom"])
    assert {unit for _, unit in wages} == {"Hour", "Year"}
    expected = {(f"{title}|{unit}", "2026-01-01T00:07:00Z"): {"average": sum(known) / len(known), "count": len(known), "unit": unit}
                for (title, unit), known in wages.items()}
    truth.compare("wages", truth.run("wages", [file], options=["--now", "2026-01-01T00:07:59.999Z"]), expected)

"""
Measurements that can be believed: our side and the other side in one process, in alternating batches, CPU time only.

    row.py        what one line of the table compares, and its goal
    race.py       times the two sides of a row in alternating batches
    spread.py     median and 5th to 95th percentile of what the rounds measured
    machine.py    where it was measured
    report.py     the table and the JSON document
    rows/         the rows, one file per theme
    command.py    `fast-litellm bench`
"""

"""The KDV job beside what a user would pick instead, on one topic of one broker of this machine, interleaved.

python -m bench.kdv check              every subject against the model, on a small topic
python -m bench.kdv measure --runs 3   records go to bench/results/kdv.json as they come
python -m bench.kdv sweep              ours, with 0.5, 2 and 8 million rows in a window
python -m bench.kdv page               docs/bench.md from the records
"""

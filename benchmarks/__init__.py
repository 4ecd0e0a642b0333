"""How fast, beside whom: each benchmark measures ours and a named rival on the same work, in one run.

python -m benchmarks              everything; writes benchmarks/results.md and results.json
python -m benchmarks slot         one of them
python -m benchmarks --quick      small sizes, seconds; proves that they run, not how fast
"""

"""How good after how many seconds: our recipes beside what people run today. `python -m benchmarks`."""

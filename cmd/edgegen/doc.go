// Edgegen writes a generated friend graph for tests and benchmarks: rows of CSV or JSONL, and beside them the counts that a correct reader must find.
//
//	edgegen --edges 10000000 --output big.csv --expect big.json
//	edgegen --edges 2000000000 --hubs 3 --hub-friends 5000000 --order sorted | zstd > huge.csv.zst
//	edgegen --edges 50000 --format jsonl --fields all --unicode --bad 0.01 --duplicates 0.02 --output mixed.jsonl --expect mixed.json --bad-list mixed-bad.csv
//
// The same flags write the same bytes. Every file is written as it comes and is not synced: after a crash it is simply generated again.
package main

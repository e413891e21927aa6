// Command trial is the fault suite: it breaks the built program in every way it knows, restarts it,
// and holds what came of it against the service's own account and against an unbroken run of the
// same job (package oracle says what has to hold).
//
//	go run ./cmd/trial --size ci        some minutes: what CI runs
//	go run ./cmd/trial --size release   hours: every row at its full size
//	go run ./cmd/trial --only kill --kills 5000 --seed 7
//	go run ./cmd/trial --only schedule --schedules 2000 --parallel 32    some 20 minutes
//	go run ./cmd/trial --only kill --replay 7:123
//	go run ./cmd/trial --only inputs --inputs 5000 --seed 1   everyday inputs and command lines
//	go run ./cmd/trial --only mutants --named "two workers"   some of the planted bugs
//	go run ./cmd/trial --only fuzz --named Scan --fuzz-seconds 600   some of the fuzz targets
//
// It also writes generated friend graphs. The same flags write the same bytes.
//
//	go run ./cmd/trial edges --edges 10000000 --output big.csv
//	go run ./cmd/trial edges --edges 2000000000 --sorted | zstd > huge.csv.zst
//
// And it holds the program against others that do the same, in turn: plan against sorting, and
// sending against a script.
//
//	go run ./cmd/trial peers --edges 5000000
//	go run ./cmd/trial peersend --accounts 30000
//
// The rows image, containers and limits do it with the program in containers, whose image they
// build from the Dockerfile as it is, without a network: Go and the modules of this machine are
// mounted into a builder that is made on the spot.
//
// It prints a line for each row: kind of fault, seed, how often, violations, seconds. It exits with
// 1 if anything was violated, with the command that brings it back. Rows that need root, loop
// devices, file systems, podman or a memory controller which are not there are skipped, and say so.
package main

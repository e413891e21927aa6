// Command trial is the fault suite: it breaks the built program in every way it knows, restarts it,
// and compares the result with the service's own records and with an unbroken run of the same job.
// Package oracle says what has to hold.
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
//	go run ./cmd/trial edges --edges 10000000 > big.csv
//	go run ./cmd/trial edges --edges 2000000000 --sorted | zstd > huge.csv.zst
//
// And it compares the program with others that do the same, in turn: plan with sorting, and sending
// with a script.
//
//	go run ./cmd/trial peers --edges 5000000
//	go run ./cmd/trial peersend --accounts 30000
//
// The rows image, containers and limits run the program in containers. They build its image from
// the Dockerfile as it is, without a network: Go and the modules of this machine are mounted into a
// builder image, which they make first.
//
// It prints a line for each row: kind of fault, seed, number of cases, violations, seconds. If
// anything was violated, it prints the command that reproduces it and exits with 1. A row is
// skipped, with a message, if it needs root, loop devices, file systems, podman or a memory
// controller that this machine does not have.
package main

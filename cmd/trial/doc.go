// Command trial is the fault suite: it breaks the built program in every way it knows, restarts it, and holds what came of it against the service's own account
// and against an unbroken run of the same job (package oracle says what has to hold).
//
//	go run ./cmd/trial --size ci        some minutes
//	go run ./cmd/trial --size release   hours
//	go run ./cmd/trial --only kill --kills 5000 --seed 7
//	go run ./cmd/trial --only kill --replay 7:123
//	go run ./cmd/trial mutants --only "two workers"    some of the planted bugs
//	go run ./cmd/trial fuzz --only JSON --time 1000000x  some of the fuzz targets
//
// It prints a line for each row: kind of fault, seed, how often, violations, seconds. It exits with 1 if anything was violated, with the command that brings it
// back. Rows that need root, loop devices or file systems which are not there are skipped, and say so.
package main

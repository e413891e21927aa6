// Command friendmigrate moves a social graph into Tencent Chat by its friend_import API.
//
// It reads flags and variables, and writes lists, a report, an exit code and one last line. It
// promises: nothing is sent before settings, state and input have been found sound; every run that
// has opened its job writes the lists and the report; the last line on standard error says what
// happened and what to run next; others may watch and read how it ended (progress); nothing secret
// is ever printed or written. It never decides on an answer of the service (sink does), or on what
// an outcome leads to (migrate does).
//
// Its packages, from the top down. Each imports only packages of the lines below its own, and
// source, sink, checkpoint and migrate. A test of package migrate reads this table.
//
//	main                            the commands: one call each, help, the last line
//	doctor accounts                 what a run needs: network, credentials; accounts that exist
//	verify export plan manifest     as doctor and accounts: what the commands of those names do
//	job                             the life of a job: open, run an operation, log, end
//	inspect                         questions to a state folder: status, failures, explain
//	progress                        where a run stands, for screen, files and HTTP
//	report folder                   what became of a job; the files of the state folder
//	settings exit terminal          flags; exit codes, hints and signals; words and numbers
//
// Not in it are answers, only tests of the whole program, and manifest/cluster, a module
// of its own that tests the YAML with the code of Kubernetes.
//
// The files of package main, from the top down: main.go (signals, the end), parse.go (the words of
// the command line), commands.go (the list), the commands (jobs.go, state.go, doctor.go,
// manifest.go, simulate.go) and help.go, program.go (what all of them share).
package main

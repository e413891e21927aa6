// Package answers holds the suites that show what every answer of the service leads to, and every
// missing answer: through stage, journal, engine and client against the simulated service, wired as
// the command wires them.
//
// What the suites promise: no answer loses an edge, invents a success or needs a person while it
// may still pass. They judge by the service's own account and by the journal, never by what the
// program says of itself. Most of them run over pipes in virtual time (testing/synctest), where a
// day costs minutes; where the whole program counts, its exit codes, logs and files, they build it
// and run it over loopback.
//
// What the package never does: it has no code that the program uses.
package answers

// Package lab is the bench on which the program is broken: jobs drawn from a seed, a simulated
// service that outlives the program and records which run sent what, the program as a process that
// can be signalled, and volumes whose power can be cut.
//
// A job, its faults at the service and the order of everything that is drawn depend on the seed
// alone. The moment at which a process dies also depends on the machine: a seed reproduces the kind
// of moment, not the microsecond.
//
// It judges nothing (package oracle does that), and never touches a file outside its own temporary
// folder.
package lab

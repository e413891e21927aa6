// Package metrics lets others watch a run: as metrics for Prometheus, as a health check for a
// scheduler, and as the snapshot that status reads.
//
// What it promises: watching costs the run nothing that it would notice, since metrics are made
// when they are asked for, from counts that are kept anyway; a reader that is slow or hostile holds
// up nobody; labels are words of a bounded list, never the id of an account; at the end the metrics
// say what the report says. Metrics of edges are of the job, so they survive a restart and are
// gauges; counters are of this process alone and begin at 0, as Prometheus expects.
//
// What it never does: change anything, listen where it was not asked to, or serve a profile.
package metrics

// Package progress says where a command stands: to people as a block on a terminal or as lines, and
// to programs as progress.json, as metrics for Prometheus, as health checks and /status for a
// scheduler, and as the message that a container leaves behind, which Kubernetes shows in the state
// of its pod. All of these are views of one Snapshot, which View computes once a second from what
// the command fills in, the client's counts and the engine's.
//
// What it promises: the share is that of settled edges; it is 100 % when none is pending and never
// before. Speed and time left come from the last seconds of this run alone, and are not shown while
// nothing is expected to leave. A pace below the one asked for comes with its reason. What matters
// fits 80 columns. A slow or hostile reader holds up nobody. Labels are words of a bounded list,
// never the id of an account. At the end the metrics say what the report says. Metrics of edges are
// of the job, so they survive a restart and are gauges; counters are of this process alone and
// begin at 0, as Prometheus expects. The message is one JSON object of at most 4096 bytes in valid
// UTF-8; it names no account and no secret, and writing it never fails a job.
//
// What it never does: change anything, listen where it was not asked to, or serve a profile.
package progress

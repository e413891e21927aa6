// Package termination writes the message that a container leaves behind when it ends, which
// Kubernetes shows in the state of its pod.
//
// What it promises: the message is one JSON object of at most 4096 bytes in valid UTF-8, however
// long the texts in it; it names no account and no secret; writing it never fails a job, and never
// waits for whoever might read it. What it never does: write where nobody asked for it.
package termination

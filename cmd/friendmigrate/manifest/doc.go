// Package manifest declares the flags of the command manifest and writes the Kubernetes objects of
// an import: a Job, or one for each shard, or CronJobs, with the claim that holds input and state,
// a network policy and, on request, a PodMonitor.
//
// What it promises: the same options give the same bytes; every object is complete and strict, for
// Kubernetes 1.34 and newer, and its pods fit Pod Security "restricted"; what the Job does about an
// exit code is read from the program's own table; a value reaches the container as it was given,
// whatever YAML or the kubelet would make of its characters.
//
// What it never does: talk to a cluster, or hold a secret. Keys are references to a Secret.
package manifest

// Package cluster holds the manifests against Kubernetes' own types, the rules of its API server
// and Pod Security "restricted". It is a module of its own, so that the program's go.mod lists only
// what the program uses.
package cluster

package manifest

import (
	"strings"
	"time"
)

// Paths and names in the container.
const (
	Folder  = "/data" // the claim: input and state. The image's working folder
	KeyFile = keyFolder + "/" + keyItem

	keyFolder = "/etc/friendmigrate"
	keyItem   = "secret-key" // of the Secret
)

// Limits of Kubernetes.
const (
	mostName    = 63 // of a label's value, and of a pod's host name
	cronsSuffix = 11 // length of what a CronJob adds to its name for a Job
)

// Options say what to write.
type Options struct {
	Name       string // of all objects
	Namespace  string // empty: kubectl's current one
	Image      string
	PullSecret string // of the image's registry; empty: none
	// Secret has the keys secret-key and, where an input is an object store's, AWS_ACCESS_KEY_ID,
	// AWS_SECRET_ACCESS_KEY and, if these are temporary, AWS_SESSION_TOKEN.
	Secret      string
	Environment []Variable

	Words    []string // flags of import; those that follow from the fields below are added
	Inputs   []string // paths in the container, or s3:// URLs
	State    string   // a path in the container, from the flags
	Rehearse bool     // from the flags: no secret key is needed

	Shards        int    // 0: the job is not divided
	ClaimPerShard bool   // a Job with a claim of its own for each shard
	StorageClass  string // empty: the cluster's default
	StorageSize   string // a quantity

	Memory         int64         // bytes that the program may use
	ContainerLimit int64         // bytes, of the container
	RuntimeLimit   int64         // bytes, of Go's runtime
	Timeout        time.Duration // of one call
	MaxDuration    time.Duration // 0: none
	Ports          []int         // that it may call

	MetricsPort int    // 0: nothing is served
	listen      string // as given on the command line, like linger
	linger      string
	PodMonitor  bool

	extra []string // words after --

	Cron     string // a schedule; empty: a Job that begins at once
	TimeZone string // of Cron
}

// Variable is one of the container's environment.
type Variable struct{ Name, Value string }

// MostName returns the maximum length of Name, so that the names made from it are allowed too.
func (o Options) MostName() int {
	most := mostName
	if o.Cron != "" {
		most -= cronsSuffix
	}
	if o.Shards > 0 {
		most -= len("-") + len(decimal(o.Shards-1))
	}
	return most
}

// Indexed reports whether one Job runs all shards.
func (o Options) Indexed() bool { return o.Shards > 0 && !o.ClaimPerShard }

// ObjectStore reports whether an input is in an object store.
func ObjectStore(input string) bool { return strings.HasPrefix(input, "s3://") }

package manifest

import (
	"strings"
	"time"
)

// Where things lie in the container.
const (
	Folder  = "/data" // the claim: input and state. The image's working folder
	KeyFile = keyFolder + "/" + keyItem

	keyFolder = "/etc/friendmigrate"
	keyItem   = "secret-key" // of the Secret
)

// The most that Kubernetes allows.
const (
	mostName    = 63 // of a label's value, and of a pod's host name
	cronsSuffix = 11 // what a CronJob adds to its own name for a Job
)

// Options say what to write.
type Options struct {
	Name       string // of all objects
	Namespace  string // empty: kubectl's current one
	Image      string
	PullSecret string // of the image's registry; empty: none
	// Secret has the keys secret-key and, where an input is an object store's, AWS_ACCESS_KEY_ID
	// and AWS_SECRET_ACCESS_KEY.
	Secret      string
	Environment []Variable

	Words    []string // flags of import; those that follow from the fields below are added
	Inputs   []string // paths in the container, or s3:// URLs
	State    string   // a path in the container; the flags say so
	Rehearse bool     // the flags say so: no secret key is needed

	Shards        int    // 0: the whole job in one
	ClaimPerShard bool   // a Job with a claim of its own for each shard
	StorageClass  string // empty: the cluster's default
	StorageSize   string // a quantity

	Memory         int64         // bytes that the program may use
	ContainerLimit int64         // bytes, of the container
	RuntimeLimit   int64         // bytes, of Go's runtime
	Timeout        time.Duration // of one call
	MaxDuration    time.Duration // 0: none
	EndpointPort   int           // that the service is called on

	MetricsPort int    // 0: nothing is served
	listen      string // as it was given, like linger
	linger      string
	PodMonitor  bool

	extra []string // behind --

	Cron     string // a schedule; empty: a Job that begins at once
	TimeZone string // of Cron
}

// Variable is one of the container's environment.
type Variable struct{ Name, Value string }

// MostName is how long Name may be, so that the names made from it are allowed too.
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

// jobs is how many Jobs there are.
func (o Options) jobs() int {
	if o.Shards > 0 && o.ClaimPerShard {
		return o.Shards
	}
	return 1
}

// ObjectStore reports whether an input is one of an object store.
func ObjectStore(input string) bool { return strings.HasPrefix(input, "s3://") }

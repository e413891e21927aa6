package settings

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"friendmigrate/sink"
)

// Variables that set the shard.
const (
	IndexVariable  = "JOB_COMPLETION_INDEX" // set by Kubernetes in an Indexed Job
	shardsVariable = "FRIENDMIGRATE_SHARDS" // set by the owner of the Job
)

// MostShards is the largest number of shards.
const MostShards = 10_000

// Shard is one part of the rosters: number Index, from 0, of Count parts. With Count 0 it is the
// whole job.
type Shard struct{ Index, Count int }

// String returns "i/n", or "" for the whole job.
func (s Shard) String() string {
	if s.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// RateOf returns the shard's part of a rate in calls a second that all shards share: rate / shards,
// rounded down, so that together they never exceed the rate. A result
// below 1, which only pace and accounts can reach, is not rounded.
func (s Shard) RateOf(rate float64) float64 {
	if s.Count <= 1 || rate >= sink.Unpaced {
		return rate
	}
	share := rate / float64(s.Count)
	if share < 1 {
		return share
	}
	return math.Floor(share)
}

func (s *Shard) set(value string) error {
	shard, ok := parseShard(value)
	if !ok {
		return fmt.Errorf("is %q: it is i/n, the share number i (from 0) of n, such as 0/4", value)
	}
	*s = shard
	return nil
}

// shardOfVariables returns the shard of a pod of an Indexed Job.
func (r *Reader) shardOfVariables() Shard {
	index, count := r.Env[IndexVariable], r.Env[shardsVariable]
	switch {
	case index == "" && count == "":
		return Shard{}
	case count == "":
		r.Refuse("shard", index+"/N", "%s is set, but %s is not: "+
			"without the number of shards every pod would import everything", IndexVariable, shardsVariable)
		return Shard{}
	case index == "":
		r.Refuse("shard", "I/"+count, "%s is set, but %s is not: which share is this one? Say --shard i/%s",
			shardsVariable, IndexVariable, count)
		return Shard{}
	}
	s, ok := parseShard(index + "/" + count)
	if !ok {
		r.Refuse("shard", "I/N", "%s is %q and %s is %q: an index from 0 and below the number of shards is needed",
			IndexVariable, index, shardsVariable, count)
	}
	return s
}

// ShardByVariable reports whether variables set the shard of commands without --shard.
func ShardByVariable(env map[string]string) bool {
	return env[IndexVariable] != "" || env[shardsVariable] != "" || env[Variable("shard")] != ""
}

func parseShard(s string) (shard Shard, ok bool) {
	left, right, found := strings.Cut(s, "/")
	index, err1 := strconv.Atoi(left)
	count, err2 := strconv.Atoi(right)
	if !found || err1 != nil || err2 != nil || index < 0 || index >= count || count > MostShards {
		return Shard{}, false
	}
	return Shard{Index: index, Count: count}, true
}

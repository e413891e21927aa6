package manifest

import (
	"slices"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
)

// podEnvironment lets a pod say "cannot be used" with an exit code that Go's runtime never takes. An
// image that does not know it ends with 2, which is run again.
var podEnvironment = map[string]string{exit.PodVariable: "1"}

// startUp is how long a pod may take to start and to end, on top of --max-duration, for its own ending
// to come first and its message to stay. It is less than the 10 s that the Job controller waits, from
// the end of a pod, before it starts the next one: that one would send calls after the window. What
// takes longer is ended by SIGTERM.
const startUp = 9 * time.Second

// backoffLimit is how many pods may fail. Kubernetes waits 10 minutes between two in the end, and a run ends at the earliest when nothing got through for
// --outage-timeout, so this is a week of nothing but failures at the least. The Job must not give up before the one who runs it does.
const backoffLimit = 1000

// notLater is how late a CronJob's run may begin: later than that, it would run into the hours that it was to leave free.
const notLater = 10 * time.Minute

// job is a Job, or a CronJob that makes it.
func (o Options) job(i int) object {
	meta := o.metadata(o.jobName(i), "import")
	spec := o.jobSpec(i)
	if o.Cron == "" {
		return object{"batch/v1", "Job", meta, spec}
	}
	return object{"batch/v1", "CronJob", meta, cronSpec{
		Schedule:                   o.Cron,
		TimeZone:                   o.TimeZone,
		ConcurrencyPolicy:          "Forbid", // two pods on one state: the second would exit 11
		StartingDeadlineSeconds:    seconds(notLater),
		SuccessfulJobsHistoryLimit: 3,
		FailedJobsHistoryLimit:     7, // a night that ends unfinished counts as failed
		JobTemplate:                template{metadata{Labels: meta.Labels}, spec},
	}}
}

func (o Options) jobSpec(i int) jobSpec {
	s := jobSpec{
		CompletionMode:       "NonIndexed",
		Completions:          1,
		Parallelism:          1,
		PodReplacementPolicy: "Failed", // two pods at once would only get into each other's way
		PodFailurePolicy:     failurePolicy{o.failureRules()},
		Template:             template{metadata{Labels: o.labels("import")}, o.pod(i)},
	}
	limit := backoffLimit
	if o.indexed() {
		s.CompletionMode, s.Completions, s.Parallelism = "Indexed", o.Shards, o.Shards
		s.BackoffLimitPerIndex, s.MaxFailedIndexes = &limit, &o.Shards // no number of failed shards ends the healthy ones
	} else {
		s.BackoffLimit = &limit
	}
	if o.MaxDuration > 0 {
		s.ActiveDeadlineSeconds = o.deadline()
	}
	return s
}

// deadline is how many seconds a Job goes on for, from its start. Fractions of a second are cut off: the
// Job controller reckons in whole ones.
func (o Options) deadline() int64 {
	return int64((o.MaxDuration.Truncate(time.Second) + startUp) / time.Second)
}

// failureRules say what is done about a pod that failed; the first one that fits holds. What fits none counts against the limit and is run again.
func (o Options) failureRules() []failureRule {
	rules := []failureRule{{Action: "Ignore", OnPodConditions: []podCondition{{"DisruptionTarget", "True"}}}} // evicted, drained, preempted: not the program's doing
	if !o.indexed() {
		return append(rules, onCodes("FailJob", exit.GiveUp, exit.StopAll))
	}
	return append(rules, onCodes("FailIndex", exit.GiveUp), onCodes("FailJob", exit.StopAll))
}

func onCodes(action string, what ...exit.Rerun) failureRule {
	var values []int
	for _, code := range exit.Codes(what...) {
		values = append(values, code.Status(podEnvironment))
	}
	slices.Sort(values)
	return failureRule{Action: action, OnExitCodes: &exitCodes{ContainerName: containerName, Operator: "In", Values: values}}
}

// grace is the time from SIGTERM to SIGKILL in seconds: the program ends within --timeout and 5 s, and a slow volume may want some more.
func (o Options) grace() int64 { return seconds(o.Timeout + 15*time.Second) }

// seconds rounds up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

package manifest

import (
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
)

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

// deadline is how many seconds a Job goes on for. With --max-duration the program ends itself with 4, which counts: without a deadline the Job would start it
// anew at once. The grace period on top lets the program's own ending come first.
func (o Options) deadline() int64 { return seconds(o.MaxDuration) + o.grace() }

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
		values = append(values, int(code))
	}
	return failureRule{Action: action, OnExitCodes: &exitCodes{ContainerName: containerName, Operator: "In", Values: values}}
}

// grace is the time from SIGTERM to SIGKILL in seconds: the program ends within --timeout and 5 s, and a slow volume may want some more.
func (o Options) grace() int64 { return seconds(o.Timeout + 15*time.Second) }

// seconds rounds up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

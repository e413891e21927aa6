package doctor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source/accountlist"
)

// Report is the result of all checks, in a form for programs.
type Report struct {
	Version  int       `json:"version"`
	Endpoint string    `json:"endpoint"`
	Checks   []Check   `json:"checks"`
	Accounts *Existing `json:"accounts,omitempty"`
	Probe    *Found    `json:"probe,omitempty"`
	Code     int       `json:"code"`
	What     string    `json:"what"`
}

// Do makes the checks that the settings of j ask for, and calls show after each. list is nil if no
// accounts are to be checked. A *migrate.StopError says why the checks ended early; any other error
// means that the checks could not begin or be recorded.
func Do(ctx context.Context, j *job.Job, list *accountlist.File, show func(Check)) (r Report, err error) {
	r.Version = 1
	if r.Endpoint, err = job.EndpointOf(j.Set.Service); err != nil {
		return r, err
	}
	add := func(checks ...Check) (goOn bool) {
		r.Checks = append(r.Checks, checks...)
		for _, c := range checks {
			show(c)
		}
		return Code(r.Checks) == exit.Done && ctx.Err() == nil
	}
	slow := *j // few calls, one at a time
	slow.Set.Pace.Rate, slow.Set.Pace.Workers = sink.AccountCallsPerSecond, 1
	client, err := slow.NewClient(ctx, time.Time{})
	if err != nil {
		return r, err
	}
	defer client.Close()
	first := client.Probe(ctx)
	if ctx.Err() != nil || !add(Reach(r.Endpoint, client.Contact(), first)...) {
		return r, nil
	}
	j.Log.Info(fmt.Sprintf("measuring the latency with %d calls, one after the other", samples), job.Event("probe"))
	if !add(Service(ctx, client.Probe, first, j.Set.Rate, j.Set.Workers)...) {
		return r, nil
	}
	if list != nil {
		a := Accounts{List: list, Sample: j.Set.Sample, Seed: rand.Uint64(), Check: client.Accounts}
		found, stopped := a.Run(ctx)
		if err := found.write(j.FS, j.Set.MissingOut); err != nil {
			return r, exit.Errorf(exit.Unexpected, j.Line().With("missing-out", "FILE").String(),
				"write the list of missing accounts: %w", err)
		}
		add(found.check())
		if r.Accounts = found; stopped != nil {
			return r, stopError(ctx, stopped)
		}
	}
	if j.Set.Probe {
		p := &Probe{Service: client, From: j.Set.From, To: j.Set.To,
			Say: func(line string) { j.Log.Info(line, job.Event("probe")) }}
		found, err := p.Run(ctx)
		if err != nil {
			return r, stopError(ctx, err)
		}
		r.Probe = &found
		state := j.Set.State
		if _, is := folder.OwnShard(state); is {
			state = filepath.Join(state, "..") // where undo looks
		}
		if _, err := folder.Find(state); j.Set.StateGiven && err == nil {
			probed := folder.Probed{SDKAppID: j.Set.SDKAppID, Target: j.Set.Target(), Already: found.Already,
				At: time.Now().UTC()}
			return r, probed.Write(j.FS, state)
		}
	}
	return r, nil
}

// stopError says what an error of a call means for the checks.
func stopError(ctx context.Context, err error) error {
	var call *migrate.CallError
	stop := &migrate.StopError{Reason: migrate.ReasonUnanswered, Info: err.Error()}
	switch errors.As(err, &call); {
	case ctx.Err() != nil:
		stop.Reason = migrate.ReasonSignal
	case call == nil:
		return exit.Because(exit.Unusable, err)
	case call.Verdict == migrate.VerdictFatal || call.Verdict == migrate.VerdictSuspect:
		stop.Reason, stop.Hint = migrate.ReasonRefused, call.Hint
	}
	return stop
}

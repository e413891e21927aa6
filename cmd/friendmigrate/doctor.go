package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/doctor"
	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source/accountlist"
)

// doctorJob is one run of doctor.
type doctorJob struct {
	p      *program
	set    settings.Settings
	log    *zap.Logger
	text   *bufio.Writer // keeps its first error
	report doctorReport
	named  *accountlist.File
}

// doctorReport is the result for programs.
type doctorReport struct {
	Version  int             `json:"version"`
	Endpoint string          `json:"endpoint"`
	Checks   []doctor.Check  `json:"checks"`
	Accounts *accountsReport `json:"accounts,omitempty"`
	Probe    *doctor.Found   `json:"probe,omitempty"`
	Code     int             `json:"code"`
	What     string          `json:"what"`
}

// accountsReport says which accounts exist.
type accountsReport struct {
	doctor.Counted
	Seed       string  `json:"seed,omitempty"`      // of a sample
	BadAtMost  float64 `json:"badAtMost,omitempty"` // share of all that does not exist, at most
	Confidence float64 `json:"confidence,omitempty"`
	List       string  `json:"list"`
}

func doctorCommand() command {
	return command{
		name: "doctor", flags: settings.Flags, do: (*program).doctorAction,
		usage: "finds out before a long run whether it will work",
		text: `Finds out before a long run whether it will work: DNS, TLS, clock, region, credentials, admin right,
latency and throttling, by harmless calls (friend_get of the admin account). It says what it saw and how
to fix it; exit 0, 4 (unreachable) or 12 (refused). With --accounts it asks too whether accounts exist:
import needs both sides of a friendship. With --probe it finds out by two test accounts what this app does
where the vendor's pages are silent.
`,
	}
}

// doctorAction is the command doctor.
func (p *program) doctorAction(ctx context.Context, in invocation) error {
	set := in.Settings
	key, err := p.ReadKey(ctx, set.Service.Key)
	if err != nil {
		return err
	}
	j := &doctorJob{p: p, set: set, text: bufio.NewWriter(p.Std.Out), report: doctorReport{Version: 1}}
	if set.JSON {
		j.text.Reset(io.Discard)
	}
	if j.log, err = events.Log(set.Output, p.Screen); err != nil {
		return exit.Because(exit.Unusable, err)
	}
	if set.Accounts != "" {
		if j.named, err = p.OpenAccounts(ctx, "--accounts", set.Accounts); err != nil {
			return err
		}
		err = p.Reads(in.values, nil, "").CheckFile("--missing-out", set.MissingOut, folder.AccountsHeader)
		if err := job.Refused(err, p.Line().With("missing-out", job.FreeList(set.MissingOut)).String()); err != nil {
			return err
		}
	}
	return p.end(j.run(ctx, key))
}

func (j *doctorJob) run(ctx context.Context, key sink.KeySource) (exit.Ending, error) {
	endpoint, err := job.EndpointOf(j.set.Service)
	if err != nil {
		return exit.Ending{}, err
	}
	j.report.Endpoint = endpoint
	j.show(doctor.Reach(ctx, doctor.Way{Endpoint: endpoint, CAFile: j.set.Service.CAFile, Timeout: j.set.Pace.Timeout}))
	var stopped error
	if doctor.Code(j.report.Checks) == exit.Done && ctx.Err() == nil {
		stopped, err = j.call(ctx, key)
		if err != nil {
			return exit.Ending{}, err
		}
	}
	return j.finish(ctx, stopped)
}

// show prints checks as they are made.
func (j *doctorJob) show(checks []doctor.Check) {
	j.report.Checks = append(j.report.Checks, checks...)
	for _, c := range checks {
		fmt.Fprintf(j.text, "%-8s %-12s %s\n", c.Level, c.Name, terminal.Clean(c.Saw))
		if c.Fix != "" {
			fmt.Fprintf(j.text, "%-8s %-12s -> %s\n", "", "", terminal.Clean(c.Fix))
		}
	}
	_ = j.text.Flush()
}

// call makes the checks that need a signature. The first error says why one was stopped, the second
// that it could not begin or be written.
func (j *doctorJob) call(ctx context.Context, key sink.KeySource) (stopped, err error) {
	calm := j.set.Pace
	calm.Rate, calm.Workers = sink.Unpaced, 1 // the checks make their calls one after the other, with pauses
	c, err := j.p.NewClient(ctx, j.set.Service, calm, key, time.Time{}, j.log)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	j.show(doctor.Service(ctx, c.Probe, j.set.Pace.Rate, j.set.Pace.Workers))
	if doctor.Code(j.report.Checks) != exit.Done || ctx.Err() != nil {
		return nil, nil
	}
	if j.named != nil {
		if stopped, err = j.accounts(ctx, key); stopped != nil || err != nil {
			return stopped, err
		}
	}
	if j.set.Probe {
		return j.probe(ctx, c)
	}
	return nil, nil
}

// accounts asks which accounts exist.
func (j *doctorJob) accounts(ctx context.Context, key sink.KeySource) (stopped, err error) {
	pace := j.set.Pace
	pace.Rate, pace.Workers = min(pace.Rate, sink.AccountCallsPerSecond), sink.AccountCallsPerSecond*3/2
	// behind the calls of the checks before
	c, err := j.p.NewClient(ctx, j.set.Service, pace, key, time.Now().Add(time.Second), j.log)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	x := &doctor.Existing{FS: disk.OS{}, File: j.named, Sample: j.set.Sample, Seed: rand.Uint64(),
		Out: j.set.MissingOut, Check: c.Accounts}
	total := j.named.Count
	if j.set.Sample > 0 {
		total = min(total, j.set.Sample)
	}
	meter := new(migrate.Meter)
	stop := j.p.Follow(j.set.Output, j.log, job.WorkOf(c, meter, pace, func(s *progress.Snapshot) {
		now := x.Now()
		s.Doing, s.Noun, s.Settled, s.Total = "asking", "account", now.Exist+now.Missing+now.Unknown, total
		s.Done, s.ToGo = s.Settled, s.Total-s.Settled
		s.Note = terminal.Count(now.Missing) + " missing"
	}))
	stopped = x.Run(ctx, j.p.Engine(pace, settings.DefaultMemory/4, c, meter, j.log))
	stop()
	if stop := (*migrate.StopError)(nil); stopped != nil && !errors.As(stopped, &stop) {
		return nil, stopped
	}
	r := &accountsReport{Counted: x.Now(), List: j.set.MissingOut}
	text := fmt.Sprintf("%s of %s exist, %s %s missing, see %s",
		terminal.Count(r.Exist), terminal.Some(r.Asked, "account"), terminal.Count(r.Missing),
		terminal.Verb(r.Missing, "is", "are"), r.List)
	if r.Unknown > 0 {
		text += fmt.Sprintf("; of %s the service said neither", terminal.Count(r.Unknown))
	}
	if r.Asked < r.Named && j.set.Sample > 0 {
		r.Seed, r.BadAtMost, r.Confidence = fmt.Sprint(x.Seed), verify.Bound(r.Asked, r.Missing), verify.Confidence
		text += fmt.Sprintf("; with 95 %% confidence at most %.3g %% of all %s do not (%s; seed %d)", 100*r.BadAtMost,
			terminal.Count(r.Named), verify.BoundName, x.Seed)
	}
	j.report.Accounts = r
	fmt.Fprintf(j.text, "%-8s %-12s %s\n", map[bool]string{true: "ok", false: "warning"}[r.Missing == 0], "accounts",
		text)
	if r.Missing > 0 {
		fmt.Fprintf(j.text, "%-8s %-12s -> %s\n", "", "",
			"import accounts before friends, on both sides: an edge with one that does not exist fails with 30003")
	}
	return stopped, nil
}

// probe finds out what the app does where the vendor is silent.
func (j *doctorJob) probe(ctx context.Context, c *sink.Client) (stopped, err error) {
	p := &doctor.Probe{Service: c, From: j.set.From, To: j.set.To,
		Say: func(line string) { j.log.Info(line, events.Probe) }}
	for _, line := range p.Plan() {
		j.log.Info(line, events.Probe)
	}
	found, err := p.Run(ctx)
	if err == nil {
		j.report.Probe = &found
		fmt.Fprintln(j.text, "the app, by a probe:")
		found.Write(j.text)
		return nil, nil
	}
	var e *migrate.CallError
	switch {
	case ctx.Err() != nil:
		return &migrate.StopError{Reason: migrate.ReasonSignal, Info: err.Error()}, nil
	case errors.As(err, &e) && (e.Verdict == migrate.VerdictFatal || e.Verdict == migrate.VerdictSuspect):
		return &migrate.StopError{Reason: migrate.ReasonRefused, Info: err.Error(), Hint: e.Hint}, nil
	case e != nil:
		return &migrate.StopError{Reason: migrate.ReasonUnanswered, Info: err.Error()}, nil
	}
	return nil, exit.Because(exit.Unusable, err)
}

// finish puts the result in words.
func (j *doctorJob) finish(ctx context.Context, stopped error) (exit.Ending, error) {
	e := exit.Ending{Code: exit.Gravest(doctor.Code(j.report.Checks), job.Stop{Err: stopped}.Code()),
		Hint: j.p.Line().String() + " # after fixing that"}
	failed, warned := "", 0
	for _, c := range j.report.Checks {
		switch {
		case c.Level == doctor.Failed && failed == "":
			failed = c.Name + ": " + c.Saw
			if c.Fix != "" {
				failed += "; " + c.Fix
			}
		case c.Level == doctor.Warning:
			warned++
		}
	}
	var stop *migrate.StopError
	switch {
	case context.Cause(ctx) != nil:
		e.Code, e.What, e.Hint = exit.Gravest(e.Code, exit.Unfinished),
			fmt.Sprintf("stopped by %v", context.Cause(ctx)), j.p.Line().String()
	case failed != "":
		e.What = failed
	case errors.As(stopped, &stop):
		e.What = stop.Info
		if stop.Hint != "" {
			e.What += "; " + stop.Hint
		}
	default:
		e.What, e.Hint = "everything that a run needs is there", j.planHint()
		if warned > 0 {
			e.What += fmt.Sprintf("; %s to look at", terminal.Some(int64(warned), "warning"))
		}
		if a := j.report.Accounts; a != nil && a.Missing > 0 {
			e.What += fmt.Sprintf("; but %s of %s do not exist, see %s", terminal.Count(a.Missing),
				terminal.Some(a.Asked, "account"), a.List)
		}
	}
	if !j.set.JSON {
		return e, j.text.Flush()
	}
	j.report.Code, j.report.What = int(e.Code), e.What
	return e, terminal.WriteJSON(j.p.Std.Out, j.report)
}

// planHint is what comes next on the way.
func (j *doctorJob) planHint() string {
	return j.p.Line().As("plan", func(string) bool { return false }).Of("INPUT").String()
}

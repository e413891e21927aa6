package inspect

import (
	"cmp"
	"fmt"
	"path/filepath"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/source/stage"
)

// Report returns the report of the job from its current state; for a job in shards, of all shards
// together. program is the version of the program that writes it. The error is folder.ErrNoJob if
// no shard has a journal yet.
func (jobs Jobs) Report(program string) (r report.Report, err error) {
	var shards []report.Report
	absent := len(jobs.Missing())
	for _, j := range jobs {
		if j.Journal == nil {
			absent++
			continue
		}
		one := j.Report(program)
		if j.Shard.Count > 0 {
			for i, list := range one.Lists {
				one.Lists[i] = filepath.Join(filepath.Base(j.Dir), list)
			}
		}
		shards = append(shards, one)
	}
	switch {
	case len(shards) == 0:
		return r, fmt.Errorf("%w: the journal has not been created yet", folder.ErrNoJob)
	case jobs[0].Shard.Count == 0:
		return shards[0], nil
	}
	return report.Join(shards, absent).Mixed(folder.Mixed(jobs.places())), nil
}

// Report returns the report of one state, with what its page shows and report.json lacks. If the
// stage was cleaned, what only the stage has is taken from the last report. If that is gone or
// damaged too, it is left out.
func (j *Job) Report(program string) report.Report {
	before, err := report.Read(filepath.Join(j.Dir, folder.Report))
	if err != nil {
		before = report.Report{}
	}
	r := before
	if j.Stage != nil || err != nil {
		id := j.Journal.Identity()
		plan := stage.Totals{Edges: id.Edges, Chunks: id.Chunks}
		if j.Stage != nil {
			plan = j.Stage.Totals()
		}
		r = report.Of(program, j.Journal, plan, j.Counts, folder.Lists(j.Dir, j.Counts.ListFormat()))
		r.Pilot, r.Rehearsal, r.Verified, r.Ending = before.Pilot, before.Rehearsal, before.Verified, before.Ending
	}
	r.Program, r.Undone = program, j.Undone
	r.Refresh(j.Journal)
	if n := len(r.Runs); n > 0 {
		r.Runs[n-1].Running = j.writing && r.Runs[n-1].Ended == nil
	}
	r.Ending = lastEnding(r, lastSnapshot(j.Dir).Hint)
	// a damaged series costs the charts, and no more
	if series, err := report.ReadSeries(filepath.Join(j.Dir, folder.Series)); err == nil && len(series.Points) > 0 {
		r.Series = &series
	}
	return r
}

// lastEnding returns how the last run ended, with a hint if the report has none. The report may have
// the ending of an earlier one, or say that a run is on.
func lastEnding(r report.Report, hint string) report.Ending {
	var last report.Run
	if n := len(r.Runs); n > 0 {
		last = r.Runs[n-1]
	}
	e := report.Ending{At: time.Now().UTC(), Code: int(exit.Unfinished), What: "the last run was killed", Hint: hint}
	switch since := cmp.Or(last.Ended, &last.Started); {
	case last.Running:
		e.What, e.Hint, e.Running = "a run is on, and this is how far it has come", "", true
	case !r.Ending.Running && !r.Ending.At.IsZero() && !r.Ending.At.Before(*since):
		return r.Ending
	case last.Ended != nil:
		return report.Ending{At: *last.Ended, Code: *last.Code, What: "the last run ended by itself", Hint: hint}
	case r.Pending() == 0:
		e.Code, e.What = int(exit.Done), "every edge is settled; the end of the last run is not recorded"
		if r.Failed()+r.Rows.Rejected > 0 {
			e.Code = int(exit.Exceptions)
		}
	}
	return e
}

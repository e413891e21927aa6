package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate/disk"
)

// outcome is the result of the job, before it is put into words.
type outcome struct {
	sums     report.Sums
	pilot    *report.Pilot
	rejected int64         // rows that affect the exit code
	failed   int64         // edges that affect the exit code
	byCode   map[int]int64 // failed edges of the job, by code
	ofPilot  map[int]int64 // those of a pilot
	reopened int64         // edges that --retry-failed reopened and that are open
	trouble  error         // error of writing the result: the job is not finished
}

// finish writes lists and report from the journal, however the run ended, and returns the ending of
// the job. If the process dies in here, nothing is lost: the same run again writes the same. The
// end of a run that was stopped is recorded first, with the code of the stop, because a list of
// millions takes longer than a scheduler waits after a signal.
func (j *Run) finish() (exit.Ending, error) {
	j.ShowStack(j.result.err)
	var unrecorded error
	if j.result.err != nil {
		unrecorded = j.endRun(j.ending(j.sumUp()).Code)
	}
	j.watch.Stop()
	o := j.writeFailedAndSum()
	if j.result.err == nil {
		unrecorded = j.endRun(j.ending(o).Code)
	}
	j.ShowStack(unrecorded)
	o.trouble = errors.Join(o.trouble, unrecorded)
	ending := j.ending(o)
	last := j.View.Ending(ending)
	if !j.result.idle {
		j.watch.observe(last)
		j.watch.save()
	}
	write := func() (err error) {
		if !j.over { // else the report says more than can be known now
			err = WriteReport(j.FS, j.Dir, j.report(o, ending))
		}
		kept := last.WithHint(ending.Hint)
		return errors.Join(err, disk.WriteWhole(j.FS, filepath.Join(j.Dir, folder.Progress), kept.WriteJSON))
	}
	j.watch.Last(last)
	if err := write(); err != nil {
		o.trouble = errors.Join(o.trouble, err)
		ending = j.ending(o)
		last = j.View.Ending(ending)
		_ = write() // what can be written says how the run ended after all
	}
	j.View.End(last)
	j.writeMetrics()
	if j.Screen.Redraws() {
		return ending, nil // the last block on the terminal contains it
	}
	j.Log.Info(strings.ReplaceAll(o.sums.String(), "imported", cmp.Or(j.Op.Did, "imported")), Event("end"),
		zap.Int("code", int(ending.Code)), zap.Int64("imported", o.sums.Rows.Imported),
		zap.Int64("already", o.sums.Rows.Already), zap.Int64("failed", o.sums.Failed()),
		zap.Int64("rejected", o.sums.Rows.Rejected), zap.Int64("duplicate", o.sums.Rows.Duplicate),
		zap.Int64("pending", o.sums.Pending()), zap.Int64("calls", j.result.stats.Attempts))
	return ending, nil
}

// sumUp returns what the journal alone says of the job.
func (j *Run) sumUp() outcome {
	totals, sums := j.Journal.Totals(), report.SumsOf(j.Journal)
	return outcome{sums: sums, rejected: sums.Rows.Rejected, failed: sums.Failed(), byCode: totals.FailedByCode,
		reopened: totals.Reopened}
}

// writeFailedAndSum writes the failed list and computes the sums, which have to balance and to
// agree with the list. Those of a rehearsal also have to agree with its service.
func (j *Run) writeFailedAndSum() outcome {
	o, ofPilot, failedOfPilot := j.sumUp(), map[int]int64{}, int64(0)
	listed, err := j.writeFailed(context.Background(), func(f checkpoint.Failure) {
		if j.Pilot != nil {
			if _, named := j.Pilot.accounts[f.Edge.From]; named {
				ofPilot[f.Code]++
				failedOfPilot++
			}
		}
	})
	o.trouble = errors.Join(err, o.sums.Check(), j.Bug())
	if failed := o.sums.Failed(); err == nil && listed != failed {
		o.trouble = errors.Join(o.trouble, fmt.Errorf("the sums do not balance: %d edges failed, but the list has %d",
			failed, listed))
	}
	if j.Pilot != nil {
		o.failed, o.ofPilot = failedOfPilot, ofPilot
		o.pilot = j.Pilot.sums(j.result.summary.Settled(), o.failed)
		if n := o.pilot.Pending; n != 0 && j.result.err == nil {
			o.trouble = errors.Join(o.trouble,
				fmt.Errorf("the sums do not balance: the pilot is finished, but %d of its edges are pending", n))
		}
		// Without the list it is not known which of the rejected rows are the pilot's.
		if !slices.Contains(j.gone, folder.Rejected) {
			o.rejected, err = j.Pilot.Rejected(j.Dir)
			o.trouble = errors.Join(o.trouble, err)
		}
	}
	if j.rehearsal != nil && o.trouble == nil {
		o.trouble = j.rehearsal.compare(j, o.sums)
	}
	return o
}

// endRun records the end of the run in the journal, if the run has begun.
func (j *Run) endRun(code exit.Code) error {
	if j.result.idle {
		return nil
	}
	s := j.result.summary
	err := j.Journal.EndRun(checkpoint.RunEnd{
		At: time.Now().UTC(), Code: int(code), Calls: j.result.stats.Attempts,
		AllAnswered: j.result.err == nil || s.Uncertain == 0,
		Facts: map[string]int64{
			"retried": s.Retried, "throttled": j.result.stats.Throttled, "uncertain": j.result.stats.Uncertain,
			"halved": s.Halved, "holds": s.Holds, "renewals": j.result.stats.Renewals,
			"paused": int64(j.result.paused.Seconds()),
		},
	})
	if err != nil && j.stopped().Code() == exit.Unexpected {
		return nil // a journal that failed during the run fails again: the first error is reported
	}
	return err
}

// report returns the report of the job with the sums and the ending. It keeps the result of a
// verify if nothing was sent after it.
func (j *Run) report(o outcome, e exit.Ending) report.Report {
	r := j.Report()
	r.Sums, r.Pilot = o.sums, o.pilot
	r.Ending = report.Ending{At: time.Now().UTC(), Code: int(e.Code), What: e.OneLine(), Hint: e.Hint}
	if series, err := report.ReadSeries(filepath.Join(j.Dir, folder.Series)); err == nil && len(series.Points) > 0 {
		r.Series = &series
	}
	if j.rehearsal != nil {
		r.Rehearsal = &j.rehearsal.found
	}
	if before, err := report.Read(filepath.Join(j.Dir, folder.Report)); err == nil && j.result.idle {
		r.Verified = before.Verified
	}
	return r
}

// WriteReport writes a report into a state folder, as JSON and as HTML.
func WriteReport(fsys disk.FS, dir string, r interface {
	WriteJSON(io.Writer) error
	WriteHTML(io.Writer) error
}) error {
	err := errors.Join(disk.WriteShared(fsys, filepath.Join(dir, folder.Report), r.WriteJSON),
		disk.WriteShared(fsys, filepath.Join(dir, folder.Page), r.WriteHTML))
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Report returns the report of the job as far as it follows from its state.
func (j *Job) Report() report.Report {
	return report.Of(j.VersionLine(), j.Journal, j.Stage.Totals(), j.Counts, folder.Lists(j.Dir, j.Counts.ListFormat()))
}

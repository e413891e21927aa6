package job

import (
	"fmt"
	"path/filepath"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// watched is where the facts of an import come from, as far as it has got. It reads what is safe to
// be read while the job runs.
func (j *Run) watched(meter *migrate.Meter) {
	client, journal := j.Client, j.Journal
	j.View.Follow(func() progress.Facts {
		f := FactsOf(client, meter)
		if journal != nil {
			totals := journal.Totals()
			account := report.Make(journal.Identity(), totals)
			f.Account, f.FailedBy = &account, totals.FailedByCode
		}
		return f
	})
}

// writeMetrics writes the last metrics into the state folder. They are for looking at: a job that
// is done does not fail for them.
func (j *Run) writeMetrics() {
	if err := disk.WriteWhole(j.FS, filepath.Join(j.Dir, folder.Metrics), j.View.WriteMetrics); err != nil &&
		!NoSpace(err) { // the last line says that
		j.Log.Warn(fmt.Sprintf("%s could not be written", folder.Metrics), events.MetricsFile, zap.Error(err))
	}
}

// endEarly is the last look at a job that could not begin, or that ended before it sent anything. A
// state that is another job's stays as it is.
func (j *Run) endEarly(err error) {
	e := j.Failure(err)
	j.View.End(int(e.Code), e.OneLine())
	if e.Code != exit.OtherJob && j.home == "" {
		j.writeMetrics()
	}
}

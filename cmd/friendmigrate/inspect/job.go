package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// Job is the state of a job, or of one of its shards, open for reading.
type Job struct {
	folder.Place
	Journal *checkpoint.Journal // nil: the job has not got that far
	Stage   *stage.Stage        // nil: the job has not got that far, or was cleaned
	Undone  *report.Undone      // nil: no undo has begun
	Counts  source.Counts       // from the stage, or what the report has of them

	writing bool // a run had the journal open for writing, just before it was read
}

// Jobs is a job with all its shards.
type Jobs []*Job

// Open opens all states in a folder. The error is folder.ErrNoJob if there is none.
func Open(base string) (jobs Jobs, err error) {
	places, err := folder.Find(base)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, jobs.Close())
			jobs = nil
		}
	}()
	for _, place := range places {
		j := &Job{Place: place}
		jobs = append(jobs, j)
		if err := j.open(); err != nil {
			return jobs, err
		}
	}
	return jobs, nil
}

func (j *Job) open() (err error) {
	j.writing, _ = checkpoint.Writing(j.Dir) // the lock of a read-only folder cannot be tried
	if j.Journal, err = openJournal(j.Dir); err != nil {
		return err
	}
	if j.Undone, err = Undoing(j.Dir); err != nil {
		return err
	}
	s, meta, err := source.OpenStaged(filepath.Join(j.Dir, folder.Staged), disk.OS{})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, stage.ErrDamaged) {
		j.Counts.Inputs, _ = ReportedInputs(j.Dir) // a report that is gone or damaged names none
		return nil
	}
	if j.Stage, j.Counts = s, meta.Counts; err == nil && j.Journal == nil {
		err = LostJournal(j.Dir)
	}
	return err
}

// LostJournal returns the error of a state with a sealed stage and no journal, which is made before
// it.
func LostJournal(dir string) error {
	return fmt.Errorf("%w: %s of %q is gone, and with it the knowledge of what was sent", checkpoint.ErrDamaged,
		checkpoint.FileName, dir)
}

// openJournal opens a journal for reading. It returns nil if there is none.
func openJournal(dir string) (*checkpoint.Journal, error) {
	journal, err := checkpoint.OpenReadOnly(disk.OS{}, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return journal, err
}

// ReportedInputs returns the inputs by the report in dir, for a job whose stage is gone. The error
// is fs.ErrNotExist if there is no report.
func ReportedInputs(dir string) (inputs []source.Input, err error) {
	r, err := report.Read(filepath.Join(dir, folder.Report))
	if err != nil {
		return nil, err
	}
	for _, in := range r.Job.Inputs {
		inputs = append(inputs, source.Input{Name: in.Name})
	}
	if _, err := os.Stat(filepath.Join(dir, folder.Failed+"."+source.JSONL)); err == nil && len(inputs) > 0 {
		inputs[0].Format = source.JSONL // some input was JSONL, or the list would not be
	}
	return inputs, nil
}

// place returns the input and the line of a row.
func (j *Job) place(at migrate.Position) (input string, line int64) {
	if input = j.Counts.InputName(at.Input); input == "" {
		input = fmt.Sprintf("input %d", at.Input+1)
	}
	return input, at.Line
}

// has reports whether the roster of the account belongs to the job, or to this shard of it.
func (j *Job) has(from string) bool {
	return j.Shard.Count == 0 || stage.ShardOf(from, j.Shard.Count) == j.Shard.Index
}

// Missing returns the shards of the job without a state here.
func (jobs Jobs) Missing() []settings.Shard { return folder.NotBegun(jobs.places()) }

func (jobs Jobs) places() (all []folder.Place) {
	for _, j := range jobs {
		all = append(all, j.Place)
	}
	return all
}

// Close closes what is open.
func (jobs Jobs) Close() error {
	var errs []error
	for _, j := range jobs {
		if j.Journal != nil {
			errs = append(errs, j.Journal.Close())
		}
		if j.Stage != nil {
			errs = append(errs, j.Stage.Close())
		}
	}
	return errors.Join(errs...)
}

package job

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
)

// startOver begins --fresh: the new job is prepared in a folder of its own, so that a run that
// cannot begin leaves the old state unchanged. It removes what a killed --fresh has left in that
// folder, and without --fresh keeps the lists of an input that was refused. The lock is held.
func (j *Run) startOver() error {
	drop := folder.DropKilled
	if j.Set.Job.Fresh {
		drop = folder.Drop
	}
	if err := drop(j.Dir); err != nil {
		return err
	}
	there, err := folder.Occupied(j.Dir)
	if err != nil || !there || !j.Set.Job.Fresh {
		return err
	}
	j.home, j.Dir = j.Dir, folder.Next(j.Dir)
	j.resumed = true // the process of the old job may have sent calls until just now
	return nil
}

// swapInFresh moves the old state away and the new one to its place, after everything that could
// end the run before its first call.
func (j *Run) swapInFresh() error {
	if j.home == "" {
		j.StartingOver.Store(false)
		return nil
	}
	j.watch.Stop() // it reads j.Dir
	err := errors.Join(j.Stage.Close(), j.Journal.Close())
	j.Stage, j.Journal = nil, nil
	j.Dir, j.home = j.home, ""
	if err == nil {
		j.old, err = folder.TakeOver(j.FS, j.Dir, time.Now())
	}
	if err != nil {
		return err
	}
	j.StartingOver.Store(false)
	j.Log.Info(fmt.Sprintf("starting over; the old state is in %s", j.old), Event("fresh"), zap.String("old", j.old))
	j.watch = startWatch(j)
	if err := errors.Join(j.OpenJournal(), j.openStage()); err != nil {
		return err
	}
	if j.Journal == nil || j.Stage == nil {
		return fmt.Errorf("the new state in %q cannot be read", j.Dir)
	}
	j.watchReading()
	return nil
}

// giveUp removes what was prepared for --fresh, except for lists that the last line names.
func (j *Run) giveUp() error {
	if j.home == "" {
		return nil
	}
	if j.listed {
		_ = os.Remove(filepath.Join(j.Dir, folder.Staged)) // empty already: see folder.DropKilled
		return nil
	}
	return folder.Drop(j.home)
}

// withOld adds the place of the old state to the message of a run that moved it and did not finish.
func (j *Run) withOld(e exit.Ending, err error) (exit.Ending, error) {
	switch {
	case j.old == "":
	case err != nil:
		err = fmt.Errorf("%w; the old state is in %s", err, j.old)
	case e.Code != exit.Done && e.Code != exit.Exceptions:
		e.What += "; the old state is in " + j.old
	}
	return e, err
}

package main

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
)

// startOver begins --fresh: the new job is prepared in a folder of its own, so that a run that cannot
// begin leaves the old state as it was. What a killed one left of that is removed. The lock is held.
func (j *importJob) startOver() error {
	if err := folder.Drop(j.dir); err != nil {
		return err
	}
	there, err := folder.Occupied(j.dir)
	if err != nil || !there || !j.set.Job.Fresh {
		return err
	}
	j.home, j.dir = j.dir, folder.Next(j.dir)
	j.resumed = true // the process of the old job may have sent calls until just now
	return nil
}

// takeOver moves the old state away and the new one to its place, once nothing is left that could end
// the run before its first call.
func (j *importJob) takeOver() error {
	defer j.p.StartingOver.Store(false)
	if j.home == "" {
		return nil
	}
	j.watch.stop() // it reads j.dir
	err := errors.Join(j.stage.Close(), j.journal.Close())
	j.stage, j.journal = nil, nil
	j.dir, j.home = j.home, ""
	if err == nil {
		j.old, err = folder.TakeOver(j.fsys, j.dir, time.Now())
	}
	if err != nil {
		return err
	}
	j.log.Info(fmt.Sprintf("starting over; the old state is in %s", j.old), events.Fresh, zap.String("old", j.old))
	j.watch = startWatch(j)
	if err := errors.Join(j.openJournal(), j.openStage()); err != nil {
		return err
	}
	if j.journal == nil || j.stage == nil {
		return fmt.Errorf("the new state in %q cannot be read", j.dir)
	}
	j.watched(nil)
	return nil
}

// giveUp removes what was prepared for --fresh, but for lists that the last line speaks of.
func (j *importJob) giveUp() error {
	if j.home == "" || j.listed {
		return nil
	}
	return folder.Drop(j.home)
}

// withOld says where the old state is, of a run that moved it and did not finish.
func (j *importJob) withOld(e exit.Ending, err error) (exit.Ending, error) {
	switch {
	case j.old == "":
	case err != nil:
		err = fmt.Errorf("%w; the old state is in %s", err, j.old)
	case e.Code != exit.Done && e.Code != exit.Exceptions:
		e.What += "; the old state is in " + j.old
	}
	return e, err
}

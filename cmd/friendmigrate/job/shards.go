package job

import (
	"errors"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// checkShards returns an error if the shards beside this one belong to another job: status and
// report would show all of them as one. With a corrected input the shards start over one after the
// other, so a shard that starts with --fresh, or resumes such a start, gets only a warning. Inputs
// are not compared while id has none.
func (j *Run) checkShards(id checkpoint.Identity) error {
	places, err := folder.Find(j.Base())
	if err != nil && !errors.Is(err, folder.ErrNoJob) {
		return err
	}
	others, text := folder.OtherJobs(places, id)
	if len(others) == 0 {
		return nil
	}
	startsOver := j.Set.Job.Fresh || j.Set.Service.Rehearse
	if j.Journal != nil && !startsOver {
		runs, created := j.Journal.Runs(), j.Journal.Identity().Created
		startsOver = len(runs) > 0 && runs[0].Start.Fresh && !slices.ContainsFunc(others,
			func(o checkpoint.Identity) bool { return o.Created.After(created) })
	}
	switch {
	case !startsOver:
		hint := j.Line().String() + " # as the other shards; a corrected input needs --fresh in each"
		if j.resumed {
			hint = j.Line().With("fresh", "").Of("INPUT").String() + " # starts it over with what the other shards have"
		}
		return exit.Errorf(exit.OtherJob, hint, "%s; nothing was %s", text, j.SentWord)
	case j.Journal != nil: // else it is said once there is one
		j.Log.Warn(fmt.Sprintf("%s; they are one job again when %s started over too", text,
			terminal.HasHave(int64(len(others)), "shard")), Event("other-shards"), zap.Int("shards", len(others)))
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/events"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/sink"
)

// allShards verifies the shards of a job one after the other, at the whole rate, since nobody else
// is at work while it holds all their locks. What it has asked of one is kept until all are done,
// so that the same command goes on after an interruption.
func (j *verifyJob) allShards(
	ctx context.Context, places []folder.Place,
) (all verifyReport, err error) {
	if err := j.refuseShards(places); err != nil {
		return all, err
	}
	parts := make([]*verifyJob, len(places))
	defer func() {
		for _, one := range parts {
			if one != nil {
				err = errors.Join(err, one.close())
			}
		}
	}()
	for i, place := range places {
		one := *j
		one.Set.Job.Shard, one.Dir = place.Shard, place.Dir
		one.pilot = j.pilot.OfShard(place.Shard)
		if err := one.TakeLock(); err != nil {
			return all, err
		}
		parts[i] = &one
		if err := one.ServeMetrics(one.Set.Eyes, one.Log); err != nil {
			return all, err
		}
	}
	if err := j.openAll(ctx, parts); err != nil {
		return all, err
	}
	began := time.Now()
	var reports []verifyReport
	var after time.Time
	for _, part := range parts {
		one := *part
		one.held, one.keep = true, true
		one.after = after
		j.Log.Info(fmt.Sprintf("verifying shard %s", one.Set.Job.Shard), events.Shard)
		r, err := one.run(ctx)
		if err != nil {
			return all, err
		}
		reports = append(reports, r)
		if r.Calls > 0 && j.Set.Pace.Rate < sink.Unpaced {
			after = time.Now().Add(time.Second)
		}
		if !r.finished {
			return j.addUp(reports, places, began), nil
		}
	}
	all = j.addUp(reports, places, began)
	for _, part := range parts {
		one := *part
		one.held, one.Set.Output.Progress = true, "none"
		if _, err := one.run(context.WithoutCancel(ctx)); err != nil { // nothing is left to ask: it is forgotten
			return all, err
		}
	}
	return all, nil
}

// openAll begins the verify of every shard before the first call, so that nothing of an older one
// is left in any of them, however this one ends.
func (j *verifyJob) openAll(ctx context.Context, parts []*verifyJob) error {
	known, passes := 0, []bool{true}
	if j.pilot != nil {
		passes = []bool{false, true}
	}
	for _, begin := range passes {
		for _, part := range parts {
			one := *part
			one.held = true
			err := one.open(ctx, begin)
			if p := one.pilot; err == nil && p != nil && !begin {
				known += p.Named() - p.Unknown()
			}
			if err := errors.Join(err, one.close()); err != nil {
				return err
			}
		}
		if j.pilot != nil && known == 0 {
			return j.pilot.Nobody()
		}
	}
	return nil
}

// refuseShards says what cannot be done with all shards at once.
func (j *verifyJob) refuseShards(places []folder.Place) error {
	missing := folder.NotBegun(places)
	switch {
	case slices.Contains(j.Inputs, "-"):
		return job.Unusable(j.Line().Of(), "standard input cannot be divided among shards; name a file, or no INPUT for what is staged")
	case len(missing) > 0:
		return &exit.Error{
			Code: exit.Unusable,
			Err: fmt.Errorf("%d of the %d shards in %q %s no staged job, shard %s among them: "+
				"import what is missing first, or name by --shard the one to verify", len(missing), missing[0].Count,
				j.Set.Job.State, terminal.Verb(int64(len(missing)), "has", "have"), missing[0]),
			Hint: j.As(j.Line(), "import").With("shard", missing[0].String()).Of("INPUT").String(),
		}
	case j.Set.Sample > 0:
		return &exit.Error{
			Code: exit.Unusable, Err: errors.New("--sample draws from one shard, and says what that is worth; name the shard"),
			Hint: j.Line().With("shard", places[0].Shard.String()).String(),
		}
	}
	return nil
}

// addUp puts the shards together, as far as they were asked about.
func (j *verifyJob) addUp(reports []verifyReport, places []folder.Place, began time.Time) verifyReport {
	all := verifyReport{Version: 1, Fields: j.Set.Fields, Shards: reports, finished: len(reports) == len(places)}
	all.Verified = report.Verified{At: time.Now().UTC(), How: j.how()}
	var codes []exit.Code
	for i := range reports {
		r := &reports[i]
		r.Shard = places[i].Shard.String()
		codes = append(codes, exit.Code(r.Code))
		all.Verified = all.Verified.Plus(&r.Verified)
		all.Calls, all.finished = all.Calls+r.Calls, all.finished && r.finished
	}
	all.Code = int(gravestFound(codes...))
	last := reports[len(reports)-1]
	if last.ending.Public != "" { // what stopped it
		all.ending = exit.Ending{Why: last.ending.Why, Public: fmt.Sprintf("shard %s: %s", last.Shard,
			last.ending.Public)}
	}
	all.What, all.Hint = j.shardWords(&all, len(places), time.Since(began)), "nothing to run"
	switch code := exit.Code(all.Code); {
	case !all.finished:
		all.Hint = j.ResumeLine().String()
	case code == exit.Different:
		all.Hint = j.shardHint(&all)
	case code != exit.Done:
		i := slices.IndexFunc(reports, func(r verifyReport) bool {
			return r.Code == all.Code && (r.Failed > 0 || all.Failed == 0 || code != exit.Exceptions)
		})
		all.Hint = reports[i].Hint
	}
	return all
}

func (j *verifyJob) shardWords(all *verifyReport, shards int, took time.Duration) string {
	last := all.Shards[len(all.Shards)-1]
	if !all.finished {
		text := fmt.Sprintf("shard %s: %s", last.Shard, last.What)
		if rest := shards - len(all.Shards); rest > 0 {
			text += fmt.Sprintf("; %s still to be asked about", terminal.IsAre(int64(rest), "more shard"))
		}
		return text
	}
	subject := fmt.Sprintf("%s of %s", terminal.Some(all.Edges, "edge"), terminal.Some(int64(shards), "shard"))
	after := ""
	if all.Calls > 0 {
		after = fmt.Sprintf(", %s in %s", terminal.Some(all.Calls, "call"), terminal.Took(took))
	}
	with := ""
	if j.Set.Fields {
		with = " with their fields"
	}
	if all.Code == int(exit.Done) {
		return fmt.Sprintf("verified: %s in place%s%s", allAre(all.Edges, subject), with, after)
	}
	text := fmt.Sprintf("verified %s%s: %s", subject, after, all.Verified.String())
	if lists := all.missingLists(); len(lists) > 0 {
		text += "; see " + strings.Join(lists, ", ")
	}
	return text
}

// missingLists are the lists with missing edges in them.
func (r *verifyReport) missingLists() (lists []string) {
	for i := range r.Shards {
		if r.Shards[i].Missing > 0 {
			lists = append(lists, r.Shards[i].Lists[0])
		}
	}
	return lists
}

// differentLists are the lists with edges in them that friend_update can set.
func (r *verifyReport) differentLists() (lists []string) {
	for i := range r.Shards {
		if found := r.Shards[i].found; found.Updatable {
			lists = append(lists, found.Different)
		}
	}
	return lists
}

// shardHint brings back what is missing of all shards as one job, or sets what is different.
func (j *verifyJob) shardHint(all *verifyReport) string {
	r := verified{job: j}
	lists, different := all.missingLists(), all.differentLists()
	l := r.followUp(settings.Job{State: j.Set.Job.State}, all.Missing, len(different) > 0)
	if l == nil {
		return r.probeHint("what is different")
	}
	if all.Missing == 0 {
		lists = different
	}
	return j.withTags(*l, all).Of(lists...).String()
}

// withTags names the custom fields of the lists that are integers.
func (j *verifyJob) withTags(l exit.Line, all *verifyReport) exit.Line {
	tags := map[string]bool{}
	for i := range all.Shards {
		for _, tag := range all.Shards[i].found.IntegerTags {
			tags[tag] = true
		}
	}
	if len(tags) == 0 {
		return l
	}
	return l.With("integer-tags", strings.Join(slices.Sorted(maps.Keys(tags)), ","))
}

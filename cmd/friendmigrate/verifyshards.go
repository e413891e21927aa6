package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/invocation"
	"friendmigrate/cmd/friendmigrate/screen"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/sink"
)

// allShards verifies the shards of a job one after the other, at the whole rate, since nobody else is at work while it holds all their locks. What it has asked of one is kept until
// all are done, so that the same command goes on after an interruption.
func (j *verifyJob) allShards(ctx context.Context, key sink.KeySource, places []folder.Place) (all verifyReport, err error) {
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
		one.set.Job.Shard, one.dir = place.Shard, place.Dir
		if err := one.takeLock(); err != nil {
			return all, err
		}
		parts[i] = &one
	}
	began := time.Now()
	var reports []verifyReport
	var after time.Time
	for _, part := range parts {
		one := *part
		one.held, one.keep = true, true
		one.after = after
		j.log.Info(fmt.Sprintf("verifying shard %s", one.set.Job.Shard), event(eventShard))
		r, err := one.run(ctx, key)
		if err != nil {
			return all, err
		}
		reports = append(reports, r)
		if r.Calls > 0 && j.set.Pace.Rate < sink.Unpaced {
			after = time.Now().Add(time.Second)
		}
		if code := exit.Code(r.Code); code != exit.Done && code != exit.Different {
			return j.addUp(reports, places, began), nil
		}
	}
	all = j.addUp(reports, places, began)
	for _, part := range parts {
		one := *part
		one.held, one.set.Output.Progress = true, "none"
		if _, err := one.run(context.WithoutCancel(ctx), key); err != nil { // nothing is left to ask: it is forgotten
			return all, err
		}
	}
	return all, nil
}

// refuseShards says what cannot be done with all shards at once.
func (j *verifyJob) refuseShards(places []folder.Place) error {
	missing := folder.NotBegun(places)
	switch {
	case contains(j.inputs, "-"):
		return exit.Because(exit.Unusable, errors.New("standard input cannot be divided among shards; name a file, or no INPUT for what is staged"))
	case len(missing) > 0:
		return exit.Because(exit.Unusable, fmt.Errorf("%d of the %d shards in %q have no staged job, shard %s among them: import them first, or name by --shard the one to verify",
			len(missing), missing[0].Count, j.set.Job.State, missing[0]))
	case j.set.Sample > 0:
		return &exit.Error{
			Code: exit.Unusable, Err: errors.New("--sample draws from one shard, and says what that is worth; name the shard"),
			Hint: j.line.With("shard", places[0].Shard.String()).String(),
		}
	}
	return nil
}

// addUp puts the shards together, as far as they were asked about.
func (j *verifyJob) addUp(reports []verifyReport, places []folder.Place, began time.Time) verifyReport {
	all := verifyReport{Version: 1, NoVerdict: map[string]int64{}, Fields: j.set.Fields, Shards: reports}
	var codes []exit.Code
	for i := range reports {
		r := &reports[i]
		r.Shard = places[i].Shard.String()
		codes = append(codes, exit.Code(r.Code))
		all.Edges, all.InPlace, all.Missing, all.Different = all.Edges+r.Edges, all.InPlace+r.InPlace, all.Missing+r.Missing, all.Different+r.Different
		all.Pending, all.Calls, all.Lists = all.Pending+r.Pending, all.Calls+r.Calls, append(all.Lists, r.Lists...)
		for code, n := range r.NoVerdict {
			all.NoVerdict[code] += n
		}
	}
	all.Code = int(exit.Gravest(codes...))
	all.What, all.Hint = j.shardWords(&all, len(places), time.Since(began)), "nothing to run"
	switch exit.Code(all.Code) {
	case exit.Done:
	case exit.Different:
		all.Hint = j.shardHint(&all)
	default:
		all.Hint = resumeLine(j.p.args).String()
	}
	return all
}

func (j *verifyJob) shardWords(all *verifyReport, shards int, took time.Duration) string {
	last := all.Shards[len(all.Shards)-1]
	if code := exit.Code(last.Code); code != exit.Done && code != exit.Different {
		text := fmt.Sprintf("shard %s: %s", last.Shard, last.What)
		if rest := shards - len(all.Shards); rest > 0 {
			text += fmt.Sprintf("; %s still to be asked about", isAre(int64(rest), "more shard"))
		}
		return text
	}
	subject := fmt.Sprintf("%s of %s", screen.Some(all.Edges, "edge"), screen.Some(int64(shards), "shard"))
	after := ""
	if all.Calls > 0 {
		after = fmt.Sprintf(", %s in %s", screen.Some(all.Calls, "call"), screen.Took(took))
	}
	with := ""
	if j.set.Fields {
		with = " with their fields"
	}
	if all.Missing+all.Different == 0 {
		return fmt.Sprintf("verified: all %s are in place%s%s", subject, with, after)
	}
	var parts []string
	if all.Missing > 0 {
		parts = append(parts, fmt.Sprintf("%s missing, see %s", isAre(all.Missing, "edge"), strings.Join(all.missingLists(), ", ")))
	}
	if all.Different > 0 {
		parts = append(parts, fmt.Sprintf("%s different, see the lists named so beside", isAre(all.Different, "edge")))
	}
	return fmt.Sprintf("verified %s%s: %s", subject, after, strings.Join(parts, "; "))
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

// shardHint imports what is missing of all shards as one job.
func (j *verifyJob) shardHint(all *verifyReport) string {
	r := verified{job: j}
	if all.Missing == 0 {
		return r.lineAs("doctor").With("probe", "FROM,TO").String() + " # with two test accounts: importing what is different helps only if this app overwrites on re-import, which this tells"
	}
	l := r.lineAs("import").Without("map", "format", "default-add-source", "integer-tags", "mutual", "duplicates")
	return j.withTags(j.p.followUp(l, settings.Job{State: j.set.Job.State}, "-missing"), all).Of(all.missingLists()...).String()
}

// withTags names the custom fields of the lists that are integers.
func (j *verifyJob) withTags(l invocation.Line, all *verifyReport) invocation.Line {
	tags := map[string]bool{}
	for i := range all.Shards {
		for _, tag := range all.Shards[i].tags {
			tags[tag] = true
		}
	}
	if len(tags) == 0 {
		return l
	}
	return l.With("integer-tags", strings.Join(slices.Sorted(maps.Keys(tags)), ","))
}

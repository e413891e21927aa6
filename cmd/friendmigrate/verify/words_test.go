package verify

import (
	"testing"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
)

// partWith is a part of a job with a list of missing edges named for the shard.
func partWith(found report.Verified, shard settings.Shard) *Part {
	p := &Part{Found: found, Lists: Lists{Missing: "missing-" + shard.String()}}
	p.Set.Job.State, p.Set.Job.Shard, p.Dir = "state", shard, "folder-"+shard.String()
	return p
}

func TestTheLastLineSaysWhatWasFoundAndWhatHelps(t *testing.T) {
	first, second := settings.Shard{Index: 0, Count: 2}, settings.Shard{Index: 1, Count: 2}
	whole := settings.Shard{}
	undone := report.Verified{Edges: 5, InPlace: 2, Missing: 3, Deleted: 3}
	gone := report.Verified{Edges: 5, InPlace: 2, Missing: 3}
	for name, c := range map[string]struct {
		fields bool
		parts  []*Part
		code   exit.Code
		want   string
	}{
		"one": {true, []*Part{partWith(report.Verified{Edges: 1, InPlace: 1}, whole)}, 0,
			"verified: 1 edge is in place with its fields; hint: nothing to run"},
		"all": {true, []*Part{partWith(report.Verified{Edges: 7, InPlace: 7}, whole)}, 0,
			"verified: all 7 edges are in place with their fields; hint: nothing to run"},
		"fields that the service does not show": {true, []*Part{partWith(report.Verified{Edges: 7, InPlace: 7, Unread: 2}, whole)}, 0,
			"verified: all 7 edges are in place; the fields of 2 edges were not compared: friend_get does not show what friend_check found; hint: friendmigrate verify --fields # reads the fields again"},
		"the same beside a failed edge": {true, []*Part{partWith(report.Verified{Edges: 7, InPlace: 6, Unread: 2, Failed: 1}, whole)}, 3,
			"verified 7 edges: 6 in place (the fields of 2 not compared), 0 missing, 0 different, 1 failed before; the fields of 2 edges were not compared: friend_get does not show what friend_check found; hint: friendmigrate import --retry-failed INPUT # after fixing what its code says"},
		"one is drawn": {false, []*Part{partWith(report.Verified{Edges: 1, InPlace: 1, Sample: &report.Sample{Drawn: 1, Of: 20, BadAtMost: 0.95, Bound: "B", Seed: "4"}}, whole)}, 0,
			"verified: 1 edge drawn from 20 is in place; with 95 % confidence at most 95 % of all are not in place, 19 edges (B; seed 4); hint: nothing to run"},
		"none can be drawn": {false, []*Part{partWith(report.Verified{Edges: 9, Failed: 9, Sample: &report.Sample{}}, whole)}, 3,
			"verified nothing (the job has no edge in place): 0 in place, 0 missing, 0 different, 9 failed before; hint: friendmigrate import --retry-failed INPUT # after fixing what their codes say"},
		"rejected in the second shard": {false, []*Part{partWith(report.Verified{Edges: 4, InPlace: 4}, first), partWith(report.Verified{Edges: 5, InPlace: 5, Rejected: 2}, second)}, 3,
			"verified 9 edges of 2 shards: 9 in place, 0 missing, 0 different, 2 rejected; hint: friendmigrate import --state state-fixed-1-of-2 fixed.csv # with folder-1/2/rejected.csv, fixed"},
		"missing, all by undo": {false, []*Part{partWith(undone, first), partWith(report.Verified{Edges: 4, InPlace: 4}, second)}, 5,
			"verified 9 edges of 2 shards: 6 in place, 3 missing (3 deleted by undo), 0 different; hint: nothing to run: what is missing was deleted by undo"},
		"missing, all by undo, and different": {false, []*Part{partWith(report.Verified{Edges: 2, Missing: 1, Deleted: 1, Different: 1}, whole)}, 5,
			"verified 2 edges: 0 in place, 1 missing (1 deleted by undo), 1 different; hint: friendmigrate doctor --probe FROM,TO # with two test accounts: tells whether importing the list again would help"},
		"missing, some by undo": {false, []*Part{partWith(report.Verified{Edges: 5, InPlace: 2, Missing: 3, Deleted: 2, Perhaps: 1}, whole)}, 5,
			"verified 5 edges: 2 in place, 3 missing (2 deleted by undo), 0 different; 1 of the missing may have been deleted by undo, by calls that got no answer; hint: friendmigrate import --state state-missing missing-"},
		"missing, of another shard too": {false, []*Part{partWith(undone, first), partWith(gone, second)}, 5,
			"verified 10 edges of 2 shards: 4 in place, 6 missing (3 deleted by undo), 0 different; hint: friendmigrate import --state state-missing missing-1/2"},
		"missing, of both shards": {false, []*Part{partWith(report.Verified{Edges: 5, InPlace: 2, Missing: 3, Deleted: 1}, first), partWith(gone, second)}, 5,
			"verified 10 edges of 2 shards: 4 in place, 6 missing (1 deleted by undo), 0 different; hint: friendmigrate import --state state-missing missing-0/2 missing-1/2"},
	} {
		args := []string{"friendmigrate", "verify"}
		if c.fields {
			args = append(args, "--fields")
		}
		program := &job.Program{Args: args, Env: map[string]string{}, Flags: func(command string) map[string]bool {
			flags := map[string]bool{}
			for _, f := range settings.Flags(command) {
				flags[f.Name] = f.Kind == settings.Takes
			}
			return flags
		}}
		r := &Result{Job: &job.Job{Program: program}, Parts: c.parts}
		r.Set.Fields, r.Set.Job.State = c.fields, "state"
		for i, p := range c.parts {
			p.Program = program
			if r.Verified = report.Plus(r.Verified, p.Found); i == 0 {
				r.Verified = p.Found
			}
		}
		if e := r.ending(); e.Code != c.code || e.LastLine() != "friendmigrate: "+c.want {
			t.Errorf("%s: code %d\n got  %s\n want friendmigrate: %s", name, e.Code, e.LastLine(), c.want)
		}
	}
}

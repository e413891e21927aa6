package oracle

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/trial/lab"
)

// Shards has seen a job that was divided. To the nine oracles, which hold for it as for any job, it
// adds that its parts are the whole:
//
//	O1  the sums over all shards, also those that status tells, are those of the undivided job
//	O3  an edge is sent by one shard alone, and nothing lies outside the shards' folders
//	O6  no shard exceeds floor(rate/n) calls in a second
//	O7  graph and lists together are those of the undivided job
type Shards struct {
	base  string
	doors []*lab.Door
	parts []*Audit
}

// NewShards watches a job in the folder base, whose shard i goes through door i.
func NewShards(whole Audit, base string, doors []*lab.Door) *Shards {
	s := &Shards{base: base, doors: doors}
	for i := range doors {
		part := whole
		part.Folder = filepath.Join(base, fmt.Sprintf("shard-%d-of-%d", i, len(doors)))
		s.parts = append(s.parts, &part)
	}
	return s
}

// Found lists what was violated so far, as Audit.Found does.
func (s *Shards) Found() (all []string) {
	for _, p := range s.parts {
		all = append(all, p.Found()...)
	}
	return all
}

// Fail records a violation, as Audit.Fail does.
func (s *Shards) Fail(oracle, text string) { s.parts[0].Fail(oracle, text) }

// Dead judges after the end of a run of shard i. A death counts for all of them: the service can't
// tell who sends again.
func (s *Shards) Dead(i int, end lab.Ended, abrupt bool) {
	s.parts[i].Dead(end, abrupt)
	for k, p := range s.parts {
		if abrupt && k != i {
			p.deaths++
		}
	}
}

// Finished judges an act of which every shard has ended by itself. unbroken says that no run was
// killed and that the service did its best: then nothing is sent twice.
func (s *Shards) Finished(ends []lab.Ended, act int, unbroken bool) {
	a := s.parts[0]
	want := &a.Like.Acts[act]
	sum := told{}
	sum.Edges.Balanced = true
	for i, end := range ends {
		r, ok := s.parts[i].story(end)
		if !ok {
			return
		}
		sum.add(&r)
	}
	if sum.Ending.Code != want.Code {
		a.violated("O8", "the gravest exit code is %d, the undivided run had %d", sum.Ending.Code, want.Code)
	}
	a.graph(want)
	a.sum(sum, a.Job.Acts[act].Part)
	s.lists(want)
	s.oneShardEach(unbroken, want)
	s.pace()
	s.nothingOutside()
}

// add adds up what two reports say.
func (t *told) add(o *told) {
	t.Ending.Code = max(t.Ending.Code, o.Ending.Code) // 0 and 3, of runs that have finished
	e, f := &t.Edges, &o.Edges
	e.Read, e.Imported, e.Already, e.Failed = e.Read+f.Read, e.Imported+f.Imported, e.Already+f.Already,
		e.Failed+f.Failed
	e.Rejected, e.Duplicate, e.Pending = e.Rejected+f.Rejected, e.Duplicate+f.Duplicate, e.Pending+f.Pending
	e.Balanced = e.Balanced && f.Balanced
	a, b := &t.Added, &o.Added
	a.Imported, a.Already, a.Failed, a.Pending = a.Imported+b.Imported, a.Already+b.Already, a.Failed+b.Failed,
		a.Pending+b.Pending
}

// Status holds what status --json says of a finished act against the reports. over says that
// nothing is pending any more.
func (s *Shards) Status(end lab.Ended, over bool) {
	a := s.parts[0]
	var got struct {
		told
		Phase   string   `json:"phase"`
		Missing []string `json:"missingShards"`
		Shards  []any    `json:"shards"`
	}
	if err := json.Unmarshal([]byte(end.Std), &got); err != nil || end.Code != 0 {
		a.violated("O1", "status ended with %d: %v: %s", end.Code, err, end.Out)
		return
	}
	var sum told
	sum.Edges.Balanced = true
	for _, p := range s.parts {
		var r told
		content, err := os.ReadFile(filepath.Join(p.Folder, "report.json"))
		if err == nil {
			err = json.Unmarshal(content, &r)
		}
		if err != nil {
			a.violated("O8", "report.json: %v", err)
			return
		}
		sum.add(&r)
	}
	if got.Edges != sum.Edges || got.Added != sum.Added || len(got.Shards) != len(s.parts) || len(got.Missing) > 0 ||
		over != (got.Phase == "finished") {
		a.violated("O1", "status says %s: %+v and %+v, the reports together %+v and %+v", got.Phase, got.Edges,
			got.Added,
			sum.Edges, sum.Added)
	}
}

// Running holds what status --json says in the middle of it all against what it has to be like at
// any moment.
func (s *Shards) Running(end lab.Ended) {
	a := s.parts[0]
	var got struct {
		told
		Missing []string `json:"missingShards"`
		Shards  []any    `json:"shards"`
	}
	err := json.Unmarshal([]byte(end.Std), &got)
	e := &got.Edges
	switch {
	case end.Code != 0 || err != nil:
		a.violated("O1", "status of running shards ended with %d: %v: %s", end.Code, err, end.Out)
	case len(got.Shards)+len(got.Missing) != len(s.parts):
		a.violated("O1", "status of running shards tells of %d shards and %d that have not begun", len(got.Shards),
			len(got.Missing))
	case e.Read != e.Imported+e.Already+e.Failed+e.Rejected+e.Duplicate+e.Pending || e.Read > a.Job.Rows:
		a.violated("O1", "status of running shards says %+v", *e)
	}
}

// oneShardEach is what the doors have seen.
func (s *Shards) oneShardEach(unbroken bool, want *lab.ReferenceAct) {
	a := s.parts[0]
	by := map[lab.Pair]int{}
	twice, imports := 0, 0
	for i, d := range s.doors {
		imports += d.Imports()
		for pair, n := range d.Carried() {
			if other, known := by[pair]; known && other != i {
				a.violated("O3", "%s -> %s was sent by shard %d and by shard %d", pair.From, pair.To, other, i)
				return
			}
			by[pair] = i
			if n > 1 {
				twice++
			}
		}
	}
	if unbroken && (twice > 0 || imports != want.Calls) {
		a.violated("O4", "nothing went wrong, and %d edges were sent twice, in %d calls instead of %d", twice, imports,
			want.Calls)
	}
}

// pace is O6 of each shard.
func (s *Shards) pace() {
	a := s.parts[0]
	if a.Job.Rate >= lab.Unpaced {
		return
	}
	share := int(a.Job.Rate) / len(s.doors)
	for i, d := range s.doors {
		if took, known := d.Closest(share + 1); known && took < time.Second-a.jitter() {
			a.violated("O6", "%d calls of shard %d arrived within %v, its share is %d", share+1, i, took, share)
		}
	}
}

func (s *Shards) nothingOutside() {
	entries, err := os.ReadDir(s.base)
	if err != nil || len(entries) != len(s.parts) {
		s.Fail("O3", fmt.Sprintf("the state folder holds %v, which is not a folder for each shard (%v)", entries, err))
	}
}

// lists holds the rows of all shards' lists together against those of the undivided run.
func (s *Shards) lists(want *lab.ReferenceAct) {
	a := s.parts[0]
	var all []lab.Lists
	for _, p := range s.parts {
		lists, err := lab.ReadLists(p.Folder)
		if err != nil {
			a.violated("O7", "the lists cannot be read: %v", err)
			return
		}
		if g, l := slices.Sorted(maps.Keys(lists)), slices.Sorted(maps.Keys(want.Lists)); !slices.Equal(g, l) {
			a.violated("O7", "the lists of a shard are %q, the undivided run left %q", g, l)
			return
		}
		all = append(all, lists)
	}
	for name, text := range want.Lists {
		theirs, err := rowsOf(name, text)
		var mine []string
		for _, lists := range all {
			rows, bad := rowsOf(name, lists[name])
			if err = errors.Join(err, bad); len(mine) > 0 && !strings.HasSuffix(name, ".jsonl") && len(rows) > 0 {
				rows = rows[1:] // the header is there already
			}
			mine = append(mine, rows...)
		}
		if err != nil {
			a.violated("O7", "%s cannot be read: %v", name, err)
			return
		}
		slices.Sort(mine)
		slices.Sort(theirs)
		if !slices.Equal(mine, theirs) {
			a.violated("O7", "%s of all shards is not that of the undivided run: %s", name,
				firstDifference(mine, theirs))
		}
	}
}

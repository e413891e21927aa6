package oracle

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/cmd/trial/lab"
)

// told is the content of report.json, or the sum of those of all shards.
type told struct {
	Ending struct {
		Code int
		What string
	}
	Edges struct {
		counts
		Balanced bool
	}
	Added counts // by --mutual
}

type counts struct{ Read, Imported, Already, Failed, Rejected, Duplicate, Pending int64 }

func (c *counts) sum() int64 {
	return c.Imported + c.Already + c.Failed + c.Rejected + c.Duplicate + c.Pending
}

func (c *counts) inPlace() int64 { return c.Imported + c.Already }

func (c *counts) add(o *counts) {
	c.Read += o.Read
	c.Imported += o.Imported
	c.Already += o.Already
	c.Failed += o.Failed
	c.Rejected += o.Rejected
	c.Duplicate += o.Duplicate
	c.Pending += o.Pending
}

// reports reads report.json of every part and adds them up. The code is the gravest of the finished
// runs.
func (a *Audit) reports() (all told) {
	all.Edges.Balanced = true
	for _, p := range a.parts {
		var r told
		p.read("report.json", &r)
		all.Ending.Code = max(all.Ending.Code, r.Ending.Code)
		all.Edges.add(&r.Edges.counts)
		all.Edges.Balanced = all.Edges.Balanced && r.Edges.Balanced
		all.Added.add(&r.Added)
	}
	return all
}

func (p *part) read(name string, into any) {
	path := filepath.Join(p.folder, name)
	if err := json.Unmarshal(lab.Must(os.ReadFile(path)), into); err != nil {
		lab.Check(fmt.Errorf("%s: %w", path, err))
	}
}

// Finished judges an act that ended by itself with the code of a finished one, in every shard.
func (a *Audit) Finished(act int, ends ...lab.Ended) {
	a.judge("O8", func() {
		want := &a.like[act]
		a.graph(want)
		for i, end := range ends {
			a.story(a.parts[i], end)
		}
		r := a.reports()
		if r.Ending.Code != want.Code {
			a.Fail("O8", "exit code %d, the unbroken run had %d: %s", r.Ending.Code, want.Code, ends[0].Last)
			return
		}
		a.sum(&r, a.job.Acts[act].Part)
		a.lists(want, &r)
		if a.doors != nil {
			a.shards()
		}
	})
}

// Told judges the output of a run that has no unbroken run to compare with: O1, O8, and the sum of
// O2.
func (a *Audit) Told(end lab.Ended) {
	a.judge("O8", func() {
		a.story(a.parts[0], end)
		r := a.reports()
		a.sum(&r, end.Code != 0 && end.Code != 3)
	})
}

// story is O8: report, progress, last line and journal.
func (a *Audit) story(of *part, end lab.Ended) {
	var r told
	var progress struct{ Code *int }
	of.read("report.json", &r)
	of.read("progress.json", &progress)
	if r.Ending.Code != end.Code || progress.Code == nil || *progress.Code != end.Code {
		a.Fail("O8", "exit code %d, the report says %d, progress.json %v", end.Code, r.Ending.Code, progress.Code)
	}
	// The report has all lines of the ending, so the last of them is its end.
	what, ours := strings.CutPrefix(end.Last, "friendmigrate: ")
	what, _, hinted := strings.Cut(what, "; hint: ")
	if !ours || !hinted || what == "" || !strings.HasSuffix(r.Ending.What, what) {
		a.Fail("O8", "the last line is %q, the report says %q", end.Last, r.Ending.What)
	}
	t := readState(of.folder).totals
	if t.Imported+t.Already != r.Edges.inPlace()+r.Added.inPlace() || t.Failed != r.Edges.Failed+r.Added.Failed ||
		t.Pending != r.Edges.Pending+r.Added.Pending {
		a.Fail("O8", "the journal says %+v, the report %+v and %+v", t, r.Edges, r.Added)
	}
}

// graph is the second half of O7, and O2 with fields.
func (a *Audit) graph(want *lab.ReferenceAct) {
	got := a.service.Graph()
	differ := 0
	var one lab.Pair
	for pair, fields := range want.Graph {
		if got[pair] != fields {
			differ++
			one = pair
		}
	}
	if differ > 0 || len(got) != len(want.Graph) {
		a.Fail("O7",
			"the service has %d edges and the unbroken run's has %d; %d are not or otherwise there, such as %v",
			len(got), len(want.Graph), differ, one)
	}
}

// sum is O1, and the sum of O2.
func (a *Audit) sum(r *told, part bool) {
	e := &r.Edges
	if e.sum() != e.Read || !e.Balanced {
		a.Fail("O1", "%d edges read, the sum is %d", e.Read, e.sum())
	}
	if j := a.job; e.Read != j.Rows || e.Rejected != j.Rejected || e.Duplicate != j.Duplicates {
		a.Fail("O1", "read %d, rejected %d, duplicate %d; the input has %d, %d, %d", e.Read, e.Rejected, e.Duplicate,
			j.Rows, j.Rejected, j.Duplicates)
	}
	pending := !part && e.Pending+r.Added.Pending > 0
	if pending || r.Ending.Code == 0 && e.Failed+r.Added.Failed+e.Rejected > 0 {
		a.Fail("O1", "exit code %d with %+v", r.Ending.Code, *e)
	}
	inPlace, there := e.inPlace()+r.Added.inPlace(), int64(len(a.service.Graph()))
	if inPlace > there || !part && !a.Changing && len(a.job.Before) == 0 && inPlace != there {
		a.Fail("O2", "%d edges are reported in place, the service has %d", inPlace, there)
	}
}

// shards judges what only applies to shards.
func (a *Audit) shards() {
	by := map[lab.Pair]int{}
	for i, d := range a.doors {
		_, carried := d.Imports()
		for pair := range carried {
			if other, known := by[pair]; known {
				a.Fail("O3", "%s -> %s was sent by shard %d and by shard %d", pair.From, pair.To, other, i)
				return
			}
			by[pair] = i
		}
	}
	share := int(a.job.Rate) / len(a.doors)
	for i, d := range a.doors {
		if took, known := d.Closest(share + 1); a.job.Rate < lab.Unpaced && a.tooClose(took, known) {
			a.Fail("O6", "%d calls of shard %d arrived within %v, its share is %d", share+1, i, took, share)
		}
	}
	if entries, err := os.ReadDir(a.folder); err != nil || len(entries) != len(a.parts) {
		a.Fail("O3", "the state folder holds %v, which is not a folder for each shard (%v)", entries, err)
	}
}

// SentOnce judges shards if no run was killed and the service made no faults: nothing may be sent
// twice.
func (a *Audit) SentOnce(act int) {
	twice, calls := 0, 0
	for _, d := range a.doors {
		n, carried := d.Imports()
		calls += n
		for _, times := range carried {
			if times > 1 {
				twice++
			}
		}
	}
	if want := a.like[act].Calls; twice > 0 || calls != want {
		a.Fail("O4", "nothing went wrong, and %d edges were sent twice, in %d calls instead of %d", twice, calls, want)
	}
}

// Status judges the output of status --json for all shards by what must be true at any moment and,
// if all have ended an act, by their reports. over says that nothing is pending.
func (a *Audit) Status(end lab.Ended, ended, over bool) {
	var got struct {
		told
		Phase         string
		MissingShards []string
		Shards        []any
	}
	if err := json.Unmarshal([]byte(end.Std), &got); err != nil || end.Code != 0 {
		a.Fail("O1", "status ended with %d: %v: %s", end.Code, err, end.Out)
		return
	}
	e := &got.Edges
	if n := len(got.Shards) + len(got.MissingShards); n != len(a.parts) || e.Read != e.sum() || e.Read > a.job.Rows {
		a.Fail("O1", "status tells of %d shards, %q of which have not begun, and says %+v", n, got.MissingShards, *e)
	}
	if !ended {
		return
	}
	a.judge("O8", func() {
		all := a.reports()
		if got.Edges != all.Edges || got.Added != all.Added || len(got.MissingShards) > 0 ||
			over != (got.Phase == "finished") {
			a.Fail("O1", "status says %s: %+v and %+v, the reports together %+v and %+v", got.Phase, got.Edges,
				got.Added, all.Edges, all.Added)
		}
	})
}

// lists is the rest of O7 and of O8: the lists are those of the unbroken run, except for Attempts,
// and have as many rows as the report says. Those of one process are equal byte for byte; those of
// shards have the same rows together.
func (a *Audit) lists(want *lab.ReferenceAct, r *told) {
	rows, texts := map[string][]string{}, map[string]string{}
	for i, p := range a.parts {
		got := lab.ReadLists(p.folder)
		if g, l := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want.Lists)); !slices.Equal(g, l) {
			a.Fail("O7", "the lists %q, the unbroken run left %q", g, l)
			return
		}
		for name, text := range got {
			more := rowsOf(name, text)
			if i > 0 && strings.HasSuffix(name, ".csv") {
				more = more[1:] // the header is already there
			}
			rows[name], texts[name] = append(rows[name], more...), text
		}
	}
	for name, text := range want.Lists {
		mine, theirs := rows[name], rowsOf(name, text)
		switch {
		case len(a.parts) > 1:
			slices.Sort(mine)
			slices.Sort(theirs)
		case !strings.HasPrefix(name, "failed."):
			mine, theirs = strings.Split(texts[name], "\n"), strings.Split(text, "\n")
		}
		if !slices.Equal(mine, theirs) {
			a.Fail("O7", "%s is not that of the unbroken run: %s", name, firstDifference(mine, theirs))
		}
	}
	said := map[string]int64{"rejected.csv": r.Edges.Rejected, "failed.csv": r.Edges.Failed + r.Added.Failed}
	for name, n := range said {
		if list := rows[name]; list != nil && int64(len(list)) != n+1 {
			a.Fail("O8", "%s has %d rows and a header, the report says %d", name, len(list)-1, n)
		}
	}
}

// rowsOf returns the rows of a list, a CSV's header first, without the number of attempts.
func rowsOf(name, text string) (rows []string) {
	if strings.HasSuffix(name, ".jsonl") {
		for line := range strings.Lines(text) {
			var members map[string]json.RawMessage
			lab.Check(json.Unmarshal([]byte(line), &members))
			delete(members, "Attempts")
			rows = append(rows, fmt.Sprintf("%s", members))
		}
		return rows
	}
	records := lab.Must(csv.NewReader(strings.NewReader(text)).ReadAll())
	if len(records) == 0 {
		lab.Check(fmt.Errorf("%s has no header", name))
	}
	column := slices.Index(records[0], "Attempts")
	for _, r := range records {
		if column >= 0 {
			r[column] = ""
		}
		rows = append(rows, fmt.Sprintf("%q", r))
	}
	return rows
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("row %d is %.200s, not %.200s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d rows, not %d", len(a), len(b))
}

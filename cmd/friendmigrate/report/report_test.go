package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
)

func sample() Report {
	id := checkpoint.Identity{Rows: 100, Rejected: 3, Duplicates: 7, Edges: 95, Added: 5}
	t := checkpoint.Totals{
		Counts: checkpoint.Counts{Imported: 70, Already: 10, AlreadyUncertain: 2, Failed: 5}, Added: checkpoint.Counts{Imported: 2, Failed: 1},
		FailedByCode: map[int]int64{30003: 5}, Pending: 10,
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	code := 4
	return Report{
		Version: Version, Program: "friendmigrate test", Sums: Make(id, t),
		Job:          Job{SDKAppID: 1400000000, Target: "region singapore", Created: at, Inputs: []Input{{"<script>alert(1)</script>.csv", 12, "ab"}}, Options: map[string]string{"--map": "From_Account=<b>", "--format": ""}},
		Ending:       Ending{At: at, Code: 4, What: "stopped by SIGTERM", Hint: "friendmigrate import \x1b[2J.csv"},
		FailedByCode: []Code{{Code: 30003, Edges: 5, Advice: "the account does not exist", Examples: []checkpoint.Failure{{Edge: migrate.Edge{From: "mia", To: "<i>ben"}, Info: "Err_SNS"}}}}, RejectedByReason: map[string]int64{"To_Account is empty": 3},
		Runs: []Run{{Started: at, Ended: &at, Code: &code, Calls: 9, Version: "v"}, {Started: at}}, Lists: []string{"failed.csv"},
		Rehearsal: &Rehearsal{Edges: 80}, Pilot: &Pilot{Accounts: 2}, Plan: Plan{Accounts: 8, RosterSizes: [5]int64{2, 5, 0, 0, 1}},
	}
}

func TestTheSumCountsAddedEdgesApart(t *testing.T) {
	a := sample().Sums
	want := Sums{
		Rows:  Sum{Read: 100, Counts: checkpoint.Counts{Imported: 68, Already: 10, AlreadyUncertain: 2, Failed: 4}, Rejected: 3, Duplicate: 7, Pending: 8, Balanced: true},
		Added: Added{Edges: 5, Counts: checkpoint.Counts{Imported: 2, Failed: 1}, Pending: 2},
	}
	if a != want {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
	if a.Check() != nil || a.Edges() != 95 || a.InPlace() != 80 || a.Failed() != 5 || a.Pending() != 10 {
		t.Errorf("%+v: %v", a, a.Check())
	}
}

func TestASumThatDoesNotBalanceIsSaid(t *testing.T) {
	for name, change := range map[string]func(*checkpoint.Identity, *checkpoint.Totals){
		"a lost row":          func(id *checkpoint.Identity, _ *checkpoint.Totals) { id.Rows++ },
		"an invented outcome": func(_ *checkpoint.Identity, t *checkpoint.Totals) { t.Imported++ },
		"a negative count":    func(_ *checkpoint.Identity, t *checkpoint.Totals) { t.Imported, t.Pending = 12, -2 },
	} {
		id, totals := checkpoint.Identity{Rows: 10, Edges: 10}, checkpoint.Totals{Counts: checkpoint.Counts{Imported: 4}, Pending: 6}
		change(&id, &totals)
		a := Make(id, totals)
		if a.Rows.Balanced || a.Check() == nil {
			t.Errorf("%s goes unnoticed: %+v", name, a)
		}
		var page strings.Builder
		if err := (Report{Sums: a}).WriteHTML(&page); err != nil || !strings.Contains(page.String(), "the sum does not balance") {
			t.Errorf("%s: the page does not say so (%v)", name, err)
		}
	}
}

func TestThePageRunsAndLoadsNothing(t *testing.T) {
	var b strings.Builder
	if err := sample().WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if strings.Contains(page, "running") || !strings.Contains(page, "stopped by SIGTERM (exit code 4)") {
		t.Error("the page shows a killed run as running, or has no exit code")
	}
	on := sample()
	on.Runs[1].Running, on.Ending.Running = true, true
	b.Reset()
	if err := on.WriteHTML(&b); err != nil || !strings.Contains(b.String(), "<td>running</td>") ||
		strings.Contains(b.String(), "killed") || strings.Contains(b.String(), "(exit code") {
		t.Errorf("a running job: %v\n%s", err, b.String())
	}
	for _, bad := range []string{"<script", "javascript:", "src=", "//", "@import", "url(", "\x1b", "<b>"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, want := range []string{"the sum balances", "&lt;script&gt;", "imported", ">68<", "From_Account=&lt;b&gt;", "killed", "It agrees with this report", "30003", "<code>mia</code> → <code>&lt;i&gt;ben</code>", "Err_SNS", "101 to 1,000", "width:62%", "To_Account is empty", `\x1b[2J`, "default-src &#39;none&#39;", `<a href="failed.csv">failed.csv</a>, 5 edges`} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#39;", "'")) {
			t.Errorf("the page has no %q", want)
		}
	}
}

// The last run of a job may have ended long ago.
func TestThePageSaysWhenItWasWritten(t *testing.T) {
	var b strings.Builder
	if err := sample().WriteHTML(&b); err != nil || !strings.Contains(b.String(), "this page written "+time.Now().UTC().Format("2006-01-02")) {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestTheReportForProgramsHasTheSumAtItsTop(t *testing.T) {
	var b strings.Builder
	if err := sample().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var r struct {
		Edges map[string]any `json:"edges"`
		Added map[string]any `json:"added"`
	}
	if err := json.Unmarshal([]byte(b.String()), &r); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "mia") {
		t.Error("the JSON names an account")
	}
	sum := 0.0
	for _, key := range []string{"imported", "already", "failed", "rejected", "duplicate", "pending"} {
		sum += r.Edges[key].(float64)
	}
	if sum != r.Edges["read"].(float64) || r.Edges["balanced"] != true {
		t.Errorf("%v", r.Edges)
	}
}

func TestShardsAreAddedUp(t *testing.T) {
	three, four := int64(3), int64(4)
	a := sample()
	a.Verified = &Verified{Edges: 5, There: &three, MissingBy: map[int]int64{7: 1}, Lists: []string{"a"}, Code: 4,
		Pending: 1, What: "not finished", Hint: "verify", Sample: &Sample{Drawn: 5}}
	b := sample()
	b.Pilot, b.Ending = nil, Ending{Code: 6, What: "refused"}
	b.Rows.Balanced = false
	b.Verified = &Verified{Edges: 6, There: &four, MissingBy: map[int]int64{7: 2, 8: 1}, Lists: []string{"b"}, Code: 5,
		Missing: 1, What: "1 is missing"}
	all := Join([]Report{a, b, sample()}, 0)
	if all.Rows.Read != 300 || all.Added.Edges != 15 || all.Rows.Balanced || all.Plan.RosterSizes != [5]int64{6, 15, 0, 0, 3} ||
		all.RejectedByReason["To_Account is empty"] != 9 || all.Verified != nil {
		t.Errorf("%+v", all)
	}
	if c := all.FailedByCode[0]; len(all.FailedByCode) != 1 || c.Edges != 15 || len(c.Examples) != 3 {
		t.Errorf("%+v", all.FailedByCode)
	}
	if all.Ending.Code != 6 || all.Ending.What != "refused" || all.Pilot != nil || all.Rehearsal.Edges != 240 {
		t.Errorf("%+v, pilot %+v, rehearsal %+v", all.Ending, all.Pilot, all.Rehearsal)
	}
	if of := Join([]Report{a, sample()}, 0).Pilot; of.Accounts != 4 || a.Pilot.Accounts != 2 {
		t.Errorf("pilot %+v", of)
	}
	for _, c := range []struct {
		absent int
		pilot  *Pilot
		done   bool
		code   int
		what   string
	}{{0, nil, true, 3, "finished in shards"}, {0, a.Pilot, false, 3, "the pilot is finished in all shards"},
		{0, nil, false, 4, "not finished in all shards"}, {1, a.Pilot, true, 4, "not finished in all shards"}} {
		one := sample()
		one.Pilot, one.Ending.Code = c.pilot, 3
		if c.done {
			one.Rows.Pending, one.Added.Pending = 0, 0
		}
		if e := Join([]Report{one, one}, c.absent).Ending; e.Code != c.code || !strings.HasPrefix(e.What, c.what+": ") {
			t.Errorf("%+v: %+v", c, e)
		}
	}
	v := Join([]Report{a, b}, 0).Verified
	if v.Code != 5 || v.What != "the shards together: 0 in place, 1 missing, 0 different, 1 pending" || v.Hint != "" ||
		v.Sample != nil {
		t.Errorf("%+v", v)
	}
	if v.Edges != 11 || *v.There != 7 || three != 3 || v.MissingBy[7] != 3 || v.MissingBy[8] != 1 || len(v.Lists) != 2 {
		t.Errorf("%+v", v)
	}
	if a.RejectedByReason["To_Account is empty"] != 3 || a.Verified.MissingBy[7] != 1 || a.Verified.Edges != 5 {
		t.Errorf("joining changed a shard: %+v %+v", a, a.Verified)
	}
}

// The first shard may have no undo, and the first undo need not be that of the first shard.
func TestAnUndoOfShardsBeganWithTheFirst(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	later, first := sample(), sample()
	later.Undone = &Undone{At: at.Add(time.Hour), Edges: 9, Deleted: 4, Pending: 5}
	first.Undone = &Undone{At: at, Edges: 7, Deleted: 7}
	want := Undone{At: at, Edges: 70 + 9 + 7, Deleted: 11, Pending: 5}
	if all := Join([]Report{sample(), later, first}, 0); *all.Undone != want || !later.Undone.At.After(at) {
		t.Errorf("%+v", all.Undone)
	}
	if all := Join([]Report{sample(), sample()}, 0); all.Undone != nil {
		t.Errorf("%+v", all.Undone)
	}
}
